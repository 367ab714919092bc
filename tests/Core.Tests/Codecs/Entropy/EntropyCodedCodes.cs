using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Compress.Core.Codecs;
using Compress.Core.Codecs.Entropy;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Entropy;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.Entropy;

public class EntropyCodedCodes
{
    // A quarter of a million codes and more: of few, the table and the states count for more than a percent.
    [Theory]
    [InlineData(2, 0.5)]
    [InlineData(4, 0.9)]
    [InlineData(16, 0.3)]
    [InlineData(16, 0.97)]
    [InlineData(200, 0.02)]
    [InlineData(256, 0.05)]
    public void TakeOnePercentMoreThanTheirEntropyAtMost(int n, double most)
    {
        const int Rows = 700, PerRow = 1000;
        byte[] codes = Drawn(Rows * PerRow, n, most);
        double all = codes.Length;
        double entropy = codes.GroupBy(code => code).Sum(group => group.Count() * Math.Log2(all / group.Count())) / 8;
        Assert.InRange(Coded(codes, Rows, PerRow, n)!.Length, entropy, 1.01 * entropy);
    }

    // Written from docs/format.md, one code at a time.
    [Theory]
    [InlineData(1100, 1000, 16)]
    [InlineData(3, 5, 7)]
    [InlineData(1, 4097, 256)]
    [InlineData(9000, 31, 3)]
    [InlineData(1, 1, 2)]
    public void AreWhatTheFormatSays(int rows, int perRow, int n)
    {
        byte[] codes = Drawn(rows * perRow, n, 0.4), stream = Coded(codes, rows, perRow, n)!;
        int blockRows = (1 << 20) / perRow, blocks = (rows + blockRows - 1) / blockRows;
        int lanes = Math.Min(rows, blockRows) * perRow >= 1 << 15 ? 32 : 4;
        int[] frequencies = [.. Enumerable.Range(0, n).Select(code => (int)Read16(2 * code))];
        Assert.Equal(4096, frequencies.Sum());
        int at = (2 * n) + (4 * blocks);
        for (int block = 0; block < blocks; block++)
        {
            long[] states = [.. Enumerable.Range(0, lanes).Select(lane => (long)BinaryPrimitives.ReadUInt32LittleEndian(stream.AsSpan(at + (4 * lane))))];
            at += 4 * lanes;
            int end = at + (2 * BinaryPrimitives.ReadInt32LittleEndian(stream.AsSpan((2 * n) + (4 * block)))), first = block * blockRows * perRow;
            for (int i = 0; i < Math.Min(blockRows * perRow, codes.Length - first); i++)
            {
                long state = states[i % lanes], slot = state % 4096;
                int code = 0, start = 0;
                while (slot >= start + frequencies[code])
                {
                    start += frequencies[code++];
                }

                Assert.Equal(codes[first + i], code);
                state = (frequencies[code] * (state / 4096)) + slot - start;
                if (state < 65536)
                {
                    state = (state * 65536) + Read16(at);
                    at += 2;
                }

                states[i % lanes] = state;
            }

            Assert.Equal(end, at);
            Assert.All(states, state => Assert.Equal(65536, state));
        }

        Assert.Equal(stream.Length, at);

        ushort Read16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(stream.AsSpan(offset));
    }

    [Theory]
    [InlineData(1100, 1000, 16)]
    [InlineData(40, 1023, 256)]
    [InlineData(33000, 1, 5)]
    [InlineData(1, 1 << 20, 2)]
    [InlineData(2, 7, 9)]
    public void ComeBackPlain(int rows, int perRow, int n)
    {
        byte[] codes = Drawn(rows * perRow, n, 0.4), stream = Coded(codes, rows, perRow, n)!;
        int bits = CodeLayout.Of(n).Bits;
        Assert.Equal(Packed(codes, rows, perRow, CodeLayout.Of(1 << bits)), Decoded(stream, rows, perRow, n));
    }

    [Fact]
    public void AreDecodedAlikeWithVectorsAndWithout()
    {
        byte[] codes = Drawn(40 * 1023, 100, 0.3), stream = Coded(codes, 40, 1023, 100)!;
        var table = AnsTable.Create(MemoryMarshal.Cast<byte, ushort>(stream.AsSpan(0, 200)))!;
        foreach (bool scalar in new[] { true, false })
        {
            uint[] states = MemoryMarshal.Cast<byte, uint>(stream.AsSpan(204, 4 * AnsDecoder.Lanes)).ToArray();
            byte[] decoded = new byte[codes.Length];
            Assert.True(AnsDecoder.Decode(table, states, MemoryMarshal.Cast<byte, ushort>(stream.AsSpan(204 + (4 * AnsDecoder.Lanes))), decoded, scalar));
            Assert.Equal(codes, decoded);
        }
    }

    // One value alone takes no bits: the states end as they began.
    [Fact]
    public void OfOneValueTakeTheTableAndTheStatesOnly() =>
        Assert.Equal((2 * 16) + 4 + (4 * 32), Coded(new byte[64 * 1024], 64, 1024, 16)!.Length);

    [Theory]
    [InlineData(0, 5, 16)]
    [InlineData(5, 0, 16)]
    [InlineData(1, (1 << 20) + 1, 16)]
    [InlineData(4, 4, 512)]
    public void ThatCannotBeCodedStayPlain(int rows, int perRow, int n) =>
        Assert.Null(AnsEncoder.Encode(Packed(new byte[rows * perRow], rows, perRow, CodeLayout.Of(n)), rows, perRow, n));

    [Theory]
    [InlineData("higgs", 64, 1024)]
    [InlineData("higgs", 9, 700)]
    [InlineData("uniform", 64, 1024)]
    [InlineData("aqlm", 300, 200)]
    [InlineData("crvq", 300, 200)]
    [InlineData("uniform", 1, 3000)]
    [InlineData("uniform", 3000, 1)]
    [InlineData("uniform", 0, 4)]
    public void GiveTheSameTensor(string method, int rows, int columns)
    {
        (string, object)[] settings = method switch { "higgs" => [("n", 13)], "uniform" => [("bits", 4)], _ => [("codebookBits", 5)] };
        float[] weights = RandomWeights.Gaussian(rows * columns);
        var plain = Encoders.Of(method, settings).Packed(weights, rows, columns);
        var coded = Encoders.Of(method, [.. settings, ("entropy", true)]).Packed(weights, rows, columns);
        AssertSame(plain, coded);
        Assert.InRange(coded.StoredBytes, 0, plain.StoredBytes);
    }

    [Fact]
    public void TakeFewerBytesInTheFileAndAsManyInMemory()
    {
        float[] weights = RandomWeights.Gaussian(512 * 1024);
        var plain = Encoders.Of("higgs").Packed(weights, 512, 1024);
        var coded = Encoders.Of("higgs", ("entropy", true)).Packed(weights, 512, 1024);
        Assert.Equal(plain.StoredBytes, coded.MemoryBytes);
        Assert.Equal(plain.StoredBytes, plain.MemoryBytes);

        // The entropy of the 16 Lloyd-Max levels of a normal distribution is 3.7659 bits.
        Assert.InRange(coded.BitsPerWeight, 3.7659 + (16.0 / 1024), 1.01 * (3.7659 + (16.0 / 1024)));
    }

    [Fact]
    public void StayPlainWhereThatIsShorter()
    {
        float[] weights = [.. Enumerable.Range(0, 16 * 64).Select(i => (i * 7 % 16) - 7f)];
        (string, object)[] settings = [("bits", 4), ("granularity", "tensor")];
        var encoded = Encoders.Of("uniform", [.. settings, ("entropy", true)]).Encoded(weights, 16, 64);
        Assert.False(encoded.Parameters.ContainsKey("entropy"));
        Assert.Equal(Encoders.Of("uniform", settings).Encoded(weights, 16, 64).Parts.Select(part => part.Bytes), encoded.Parts.Select(part => part.Bytes));
    }

    [Fact]
    public void AreOfAnotherKey() => Assert.NotEqual(Encoders.Of("higgs").Settings, Encoders.Of("higgs", ("entropy", true)).Settings);

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(255)]
    public void FrequenciesAreInProportion(int n)
    {
        byte[] codes = Drawn(100_000, n, 0.3);
        ushort[] frequencies = AnsEncoder.Frequencies(codes, n);
        Assert.Equal(4096, frequencies.Sum(frequency => frequency));
        Assert.All(Enumerable.Range(0, n), code =>
        {
            double part = codes.Count(c => c == code) * 4096.0 / codes.Length;
            Assert.InRange(frequencies[code], part == 0 ? 0 : Math.Max(1, Math.Floor(part * 0.7)), Math.Max(1, part * 1.3) + 1);
        });
    }

    [Fact]
    public void DamagedAreAnErrorAndNoMore()
    {
        float[] weights = RandomWeights.Gaussian(40 * 1024);
        var encoded = Encoders.Of("uniform", ("bits", 4), ("entropy", true)).Encoded(weights, 40, 1024);
        var codes = encoded.Parts.Single(part => part.Name == "codes");
        var random = new Random(3);
        int refused = 0;
        const int Trials = 300;
        for (int trial = 0; trial < Trials; trial++)
        {
            byte[] bytes = [.. codes.Bytes];
            switch (trial % 3)
            {
                case 0: bytes = bytes[..random.Next(bytes.Length)]; break;
                case 1: bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256); break;
                default: BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(2 * random.Next(20)), random.Next()); break;
            }

            var parts = encoded.Parts.Select(part => part == codes ? part with { Bytes = bytes, Shape = [bytes.Length] } : part).ToList();
            refused += Record.Exception(() => DecodedTensor.Open(encoded with { Parts = parts }, DType.F32, [40, 1024])) switch
            {
                null => 0,
                InvalidDataException => 1,
                var other => throw new InvalidOperationException($"trial {trial}", other),
            };
        }

        // All states must end as they began: what is damaged is found but for the least chance.
        Assert.Equal(Trials, refused);
    }

    // 4 × 10^9 codes from a few bytes: what the blocks' own bytes allow bounds it.
    [Fact]
    public void ThatClaimTooMuchAreRefusedBeforeAnythingIsAllocated()
    {
        var encoded = Encoders.Of("uniform", ("bits", 4), ("entropy", true), ("granularity", "tensor"), ("symmetric", true)).Encoded(new float[64 * 1024], 64, 1024);
        Assert.True(encoded.Parameters.ContainsKey("entropy"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(encoded, DType.F32, [1 << 20, 2000]));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static void AssertSame(PackedTensor plain, PackedTensor coded)
    {
        float[] expected = new float[plain.Count], decoded = new float[plain.Count], x = RandomWeights.Gaussian(plain.Columns), y = new float[plain.Rows], z = new float[plain.Rows];
        plain.Dequantize(expected);
        coded.Dequantize(decoded);
        Assert.Equal(expected, decoded);
        plain.Multiply(x, y);
        coded.Multiply(x, z);
        Assert.Equal(y, z);
    }

    // Geometric, with the first so likely.
    private static byte[] Drawn(int count, int n, double most)
    {
        var random = new Random(n);
        byte[] codes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            codes[i] = (byte)Math.Min(n - 1, (int)(Math.Log(random.NextDouble()) / Math.Log(1 - most)));
        }

        return codes;
    }

    private static byte[] Packed(byte[] codes, int rows, int perRow, CodeLayout layout)
    {
        int rowBytes = (int)layout.RowBytes(perRow);
        byte[] packed = new byte[rows * rowBytes];
        for (int row = 0; row < rows; row++)
        {
            layout.Pack(Array.ConvertAll(codes[(row * perRow)..((row + 1) * perRow)], code => (ushort)code), packed.AsSpan(row * rowBytes, rowBytes));
        }

        return packed;
    }

    private static byte[]? Coded(byte[] codes, int rows, int perRow, int n) => AnsEncoder.Encode(Packed(codes, rows, perRow, CodeLayout.Of(n)), rows, perRow, n);

    private static byte[]? Decoded(byte[] stream, int rows, int perRow, int n) => new CodedRows(rows, perRow, n).Decode(new ByteView(MappedBytes.FromArray(stream), 0, stream.Length));
}
