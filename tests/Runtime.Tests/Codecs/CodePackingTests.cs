using Compress.Runtime.Codecs;

namespace Compress.Runtime.Tests.Codecs;

public class CodePackingTests
{
    public static TheoryData<int> Bits => [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory, MemberData(nameof(Bits))]
    public void UnpackInvertsPackForEveryLength(int bits)
    {
        for (int length = 0; length <= 200; length++)
        {
            byte[] codes = Codes(length, bits);
            byte[] packed = Pack(codes, bits);
            byte[] unpacked = new byte[length];
            CodePacking.Unpack(packed, bits, unpacked);
            Assert.Equal(codes, unpacked);
        }
    }

    [Theory, MemberData(nameof(Bits))]
    public void PackWritesWhatTheFormatDefines(int bits)
    {
        for (int length = 0; length <= 200; length++)
        {
            byte[] codes = Codes(length, bits);
            Assert.Equal(PackBitByBit(Array.ConvertAll(codes, code => (int)code), bits), Pack(codes, bits));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(12)]
    public void LongerCodesAreStoredAsTheFormatDefines(int bits)
    {
        for (int length = 0; length <= 200; length++)
        {
            int[] numbers = [.. Enumerable.Range(0, length).Select(i => (int)(((uint)i * 2654435761u) >> (32 - bits)))];
            ushort[] codes = Array.ConvertAll(numbers, number => (ushort)number), unpacked = new ushort[length];
            byte[] packed = new byte[CodePacking.RowBytes(length, bits)];
            CodePacking.Pack(codes, bits, packed);
            Assert.Equal(PackBitByBit(numbers, bits), packed);
            CodePacking.Unpack(packed, bits, unpacked);
            Assert.Equal(codes, unpacked);
        }
    }

    [Theory, MemberData(nameof(Bits))]
    public void AnyRangeReadsTheSameCodes(int bits)
    {
        byte[] codes = Codes(150, bits);
        using var memory = MappedBytes.FromArray(Pack(codes, bits));
        var view = new ByteView(memory, 0, memory.Length);
        for (int first = 0; first <= codes.Length; first += 7)
        {
            for (int count = 0; count <= codes.Length - first; count += 13)
            {
                byte[] range = new byte[count];
                CodePacking.UnpackRange(view, bits, codes.Length, first, range);
                Assert.Equal(codes[first..(first + count)], range);
            }
        }
    }

    [Theory]
    [InlineData(0, 4, 0)]
    [InlineData(1, 1, 1)]
    [InlineData(31, 3, 12)]
    [InlineData(32, 3, 12)]
    [InlineData(33, 5, 21)]
    [InlineData(int.MaxValue, 8, int.MaxValue)]
    public void RowsEndOnAByte(int count, int bits, long bytes) => Assert.Equal(bytes, CodePacking.RowBytes(count, bits));

    // docs/format.md, word by word: strips of 32 codes in planes of 8, 4, 2 and 1 bits, then a little-endian bit stream.
    private static byte[] PackBitByBit(int[] codes, int bits)
    {
        var bytes = new List<byte>();
        int full = codes.Length / 32 * 32;
        for (int strip = 0; strip < full; strip += 32)
        {
            int lowest = 0;
            foreach (int width in (int[])[8, 4, 2, 1])
            {
                if ((bits & width) == 0)
                {
                    continue;
                }

                byte[] plane = new byte[4 * width];
                for (int code = 0; code < 32; code++)
                {
                    for (int bit = 0; bit < width; bit++)
                    {
                        int value = (codes[strip + code] >> (lowest + bit)) & 1;
                        plane[code % plane.Length] |= (byte)(value << ((code / plane.Length * width) + bit));
                    }
                }

                bytes.AddRange(plane);
                lowest += width;
            }
        }

        byte[] tail = new byte[((codes.Length - full) * bits + 7) / 8];
        for (int bit = 0; bit < (codes.Length - full) * bits; bit++)
        {
            tail[bit / 8] |= (byte)(((codes[full + (bit / bits)] >> (bit % bits)) & 1) << (bit % 8));
        }

        return [.. bytes, .. tail];
    }

    private static byte[] Pack(byte[] codes, int bits)
    {
        byte[] packed = new byte[CodePacking.RowBytes(codes.Length, bits)];
        Array.Fill(packed, (byte)0xA5); // what was there before must not matter
        CodePacking.Pack(codes, bits, packed);
        return packed;
    }

    private static byte[] Codes(int length, int bits)
    {
        var random = new Random((bits * 1000) + length);
        byte[] codes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            codes[i] = (byte)random.Next(1 << bits);
        }

        return codes;
    }
}
