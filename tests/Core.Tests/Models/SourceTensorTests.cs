using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Models;

public sealed class SourceTensorTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(262_143)] // about the length of a chunk
    [InlineData(262_144)]
    [InlineData(262_145)]
    [InlineData(1_000_003)]
    public void HashesAndCopiesAllBytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        using var model = Open(DType.U8, [length], bytes);
        var copy = new MemoryStream();
        model["t"].CopyBytes(copy);

        Assert.Equal(SHA256.HashData(bytes), model["t"].ContentHash());
        Assert.Equal(bytes, copy.ToArray());
        Assert.Equal(bytes[(length / 2)..], model["t"].Bytes(length / 2, length - (length / 2)).ToArray());
    }

    [Fact]
    public void ReadsSomeRows()
    {
        using var model = Open(DType.I16, [3, 2, 2], MemoryMarshal.AsBytes<short>([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).ToArray());
        var tensor = model["t"];
        Assert.Equal((3, 4, 12L, 24L), (tensor.Rows, tensor.Columns, tensor.Count, tensor.ByteLength));
        float[] rows = new float[9];
        tensor.ReadRows(1, 2, rows);
        Assert.Equal([4f, 5f, 6f, 7f, 8f, 9f, 10f, 11f, 0f], rows);
        tensor.ReadRows(3, 0, []);
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadRows(2, 2, rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadRows(-1, 1, rows));
        Assert.ThrowsAny<ArgumentException>(() => tensor.ReadRows(0, 3, rows));
    }

    [Fact]
    public void ReadsTheSameAfterItsPagesWereReleased()
    {
        byte[] bytes = new byte[3_000_000];
        new Random(1).NextBytes(bytes);
        using var model = Open(DType.U8, [bytes.Length], bytes);
        byte[] hash = model["t"].ContentHash();
        model["t"].ReleasePages();
        Assert.Equal(hash, model["t"].ContentHash());
    }

    [Fact]
    public void CannotBeReadAfterTheModelIsDisposed()
    {
        var model = Open(DType.U8, [1], [1]);
        var tensor = model["t"];
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ContentHash());
    }

    private ModelFile Open(DType type, long[] shape, byte[] bytes) =>
        ModelFile.Open(new TestModel().Add("t", type, shape, bytes).Write(folder["m.safetensors"]));
}

public sealed class NonFiniteValue : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<DType, string, double> Codes => new()
    {
        { DType.F64, "000000000000F07F", double.PositiveInfinity },
        { DType.F64, "010000000000F0FF", double.NaN },
        { DType.F32, "000080FF", double.NegativeInfinity },
        { DType.F32, "0100807F", double.NaN },
        { DType.F16, "007C", double.PositiveInfinity },
        { DType.F16, "01FC", double.NaN },
        { DType.BF16, "80FF", double.NegativeInfinity },
        { DType.BF16, "C07F", double.NaN },
        { DType.F8E4M3, "FF", double.NaN },
        { DType.F8E5M2, "7C", double.PositiveInfinity },
        { DType.F8E5M2, "FD", double.NaN },
    };

    public void Dispose() => folder.Dispose();

    [Theory, MemberData(nameof(Codes))]
    public void IsFoundWhereverItStands(DType type, string code, double value)
    {
        byte[] odd = Convert.FromHexString(code);
        foreach (int count in new[] { 1, 2, 31, 32, 33, 127, 128, 129, 160, 257 })
        {
            for (int index = 0; index < count; index++)
            {
                byte[] bytes = LargestFinite(type, count);
                odd.CopyTo(bytes, index * odd.Length);
                odd.CopyTo(bytes, bytes.Length - odd.Length); // The first counts.
                Assert.Equal(index, NonFinite.IndexIn(type, bytes));
            }

            Assert.Equal(-1, NonFinite.IndexIn(type, LargestFinite(type, count)));
        }

        // Past the first chunk.
        byte[] many = LargestFinite(type, 300_000);
        odd.CopyTo(many, 299_998 * odd.Length);
        using var model = ModelFile.Open(new TestModel().Add("t", type, [300_000], many).Write(folder["m.safetensors"]));
        Assert.Equal(new OddValue(299_998, value), model["t"].FirstNonFinite());
        Assert.Equal(type == DType.F64, model["t"].FirstBeyondFloat() is not null);
    }

    [Theory]
    [InlineData(DType.I64)]
    [InlineData(DType.I32)]
    [InlineData(DType.U8)]
    [InlineData(DType.Bool)]
    public void IsNoInteger(DType type) => Assert.Equal(-1, NonFinite.IndexIn(type, [.. Enumerable.Repeat((byte)0xFF, 64)]));

    [Fact]
    public void IsNotADoubleThatIsTooLargeForAFloat()
    {
        double[] values = new double[100_000];
        values[70_000] = -3.4028235677973366e38; // the first that rounds to infinity
        values[70_001] = 1e300;
        values[5] = 3.4028235677973362e38; // the last that does not
        byte[] bytes = MemoryMarshal.AsBytes<double>(values).ToArray();
        using var model = ModelFile.Open(new TestModel().Add("t", DType.F64, [100_000], bytes).Write(folder["m.safetensors"]));
        Assert.Null(model["t"].FirstNonFinite());
        Assert.Equal(new OddValue(70_000, -3.4028235677973366e38), model["t"].FirstBeyondFloat());
    }

    // The finite values nearest to those that are not: of both signs.
    private static byte[] LargestFinite(DType type, int count)
    {
        byte[] positive = Convert.FromHexString(type switch
        {
            DType.F64 => "FFFFFFFFFFFFEF7F",
            DType.F32 => "FFFF7F7F",
            DType.F16 => "FF7B",
            DType.BF16 => "7F7F",
            DType.F8E4M3 => "7E",
            _ => "7B",
        });
        byte[] bytes = [.. Enumerable.Range(0, count).SelectMany(_ => positive)];
        for (int i = positive.Length - 1; i < bytes.Length; i += 2 * positive.Length)
        {
            bytes[i] |= 0x80;
        }

        return bytes;
    }
}
