using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Container;

public class KeptTensor
{
    public static TheoryData<DType> Types => [.. Enum.GetValues<DType>()];

    [Fact]
    public void GivesItsElementsInPlace()
    {
        Check<double>(DType.F64, [1.5, double.NaN]);
        Check<float>(DType.F32, [1.5f, -0f]);
        Check<Half>(DType.F16, [(Half)1.5, Half.NaN]);
        Check<ushort>(DType.BF16, [0x3FC0, 0x8000]);
        Check<byte>(DType.F8E4M3, [0x7F, 1]);
        Check<byte>(DType.F8E5M2, [0x7F, 1]);
        Check<long>(DType.I64, [long.MinValue, 7]);
        Check<int>(DType.I32, [int.MinValue, 7]);
        Check<short>(DType.I16, [short.MinValue, 7]);
        Check<sbyte>(DType.I8, [sbyte.MinValue, 7]);
        Check<ulong>(DType.U64, [ulong.MaxValue, 7]);
        Check<uint>(DType.U32, [uint.MaxValue, 7]);
        Check<ushort>(DType.U16, [ushort.MaxValue, 7]);
        Check<byte>(DType.U8, [255, 7]);
        Check<byte>(DType.Bool, [1, 0]);

        static void Check<T>(DType type, T[] values)
            where T : unmanaged
        {
            byte[] bytes = MemoryMarshal.AsBytes<T>(values).ToArray();
            using var model = PackedModel.FromBytes(SafetensorsBytes.Of("t", type, [values.Length], bytes));
            Assert.True(model["t"].TryGetSpan<T>(out var span));
            Assert.True(MemoryMarshal.AsBytes(span).SequenceEqual(bytes));
            Assert.True(model["t"].TryGetSpan<byte>(out var raw));
            Assert.True(raw.SequenceEqual(bytes));
            Assert.False(model["t"].TryGetSpan<decimal>(out var none));
            Assert.True(none.IsEmpty);
            Assert.Equal(type == DType.I32, model["t"].TryGetSpan<int>(out _));
            Assert.Equal(type == DType.F32, model["t"].TryGetSpan<float>(out _));
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void CountsTheBitsOfItsType(DType type)
    {
        using var model = PackedModel.FromBytes(SafetensorsBytes.Of("t", type, [2, 3], new byte[6 * type.SizeInBytes()]));
        Assert.Equal((6 * type.SizeInBytes(), 8.0 * type.SizeInBytes()), (model["t"].StoredBytes, model["t"].BitsPerWeight));
    }

    [Theory]
    [InlineData(new long[] { }, 1, 1)]
    [InlineData(new long[] { 5 }, 1, 5)]
    [InlineData(new long[] { 5, 1 }, 5, 1)]
    [InlineData(new long[] { 2, 3, 1, 4 }, 2, 12)]
    [InlineData(new long[] { 0 }, 1, 0)]
    [InlineData(new long[] { 0, 7 }, 0, 0)]
    [InlineData(new long[] { 7, 0 }, 7, 0)]
    public void IsAMatrix(long[] shape, int rows, int columns)
    {
        using var model = PackedModel.FromBytes(SafetensorsBytes.Of("t", DType.U8, shape, new byte[rows * columns]));
        var tensor = model["t"];
        Assert.Equal((rows, columns, (long)rows * columns), (tensor.Rows, tensor.Columns, tensor.Count));
        Assert.Equal(shape, tensor.Shape.ToArray());

        float[] y = new float[rows];
        y.AsSpan().Fill(float.NaN);
        tensor.Multiply(new float[columns], y);
        Assert.All(y, value => Assert.Equal(0, value));
        tensor.Dequantize(new float[rows * columns]);
    }

    [Theory, MemberData(nameof(Types))]
    public void MultipliesInEveryKernelAndShape(DType type)
    {
        var random = new Random((int)type);
        foreach (var (rows, columns, batch) in new[] { (1, 1, 1), (1, 33, 2), (7, 16, 1), (5, 1, 3), (9, 31, 5), (3, 4100, 1), (70, 48, 4), (300, 1000, 1) })
        {
            byte[] bytes = new byte[rows * columns * type.SizeInBytes()];
            random.NextBytes(bytes);
            Tame(type, bytes);
            float[] x = [.. Enumerable.Range(0, batch * columns).Select(_ => random.NextSingle() - 0.5f)];
            using var model = PackedModel.FromBytes(SafetensorsBytes.Of("t", type, [rows, columns], bytes));
            float[] weights = new float[rows * columns];
            model["t"].Dequantize(weights);
            foreach (var kernel in Kernel.All)
            {
                Check(Open(model, type, rows, columns, bytes, kernel), weights, x, batch);
            }
        }
    }

    // Against the product in double. A float sum of n products errs by at most n · 2^-24 times the sum of their magnitudes.
    private static void Check(PackedTensor tensor, float[] weights, float[] x, int batch)
    {
        float[] y = new float[batch * tensor.Rows];
        SoilPool(batch * Kernel.LineLength(tensor.Columns));
        SoilPool(64 * Kernel.LineLength(tensor.Columns));
        tensor.Multiply(x, y, batch);
        for (int b = 0; b < batch; b++)
        {
            for (int row = 0; row < tensor.Rows; row++)
            {
                double sum = 0, magnitude = 0;
                for (int k = 0; k < tensor.Columns; k++)
                {
                    double product = (double)weights[(row * tensor.Columns) + k] * x[(b * tensor.Columns) + k];
                    sum += product;
                    magnitude += Math.Abs(product);
                }

                Assert.InRange(y[(b * tensor.Rows) + row] - sum, -magnitude * (tensor.Columns + 1) * 6e-8, magnitude * (tensor.Columns + 1) * 6e-8);
            }
        }
    }

    // What earlier users leave in pooled arrays must not reach the result.
    private static void SoilPool(int length)
    {
        float[] array = ArrayPool<float>.Shared.Rent(length);
        array.AsSpan().Fill(float.NaN);
        ArrayPool<float>.Shared.Return(array);
    }

    private static KeepTensor Open(PackedModel model, DType type, int rows, int columns, byte[] bytes, Kernel kernel) =>
        new(new PackedParts(model["t"].Name, type, [rows, columns], default, name => (
            new TensorEntry(name, type, [rows, columns], 0, bytes.Length),
            new ByteView(MappedBytes.FromArray(bytes), 0, bytes.Length)), _ => 0), kernel);

    // Exponents around 1, so that sums neither overflow nor hide anything.
    private static void Tame(DType type, byte[] bytes)
    {
        int size = type.SizeInBytes();
        for (int i = size - 1; type.IsFloat() && i < bytes.Length; i += size)
        {
            bytes[i] = (byte)((bytes[i] & 0x83) | 0x38);
        }
    }
}

public class TensorKeptInAnotherFloatType
{
    [Fact]
    public void KnowsBothTypes()
    {
        byte[] file = Described("F32", [2], [0x00, 0x3C, 0x00, 0xC0]);
        using var model = PackedModel.FromBytes(file);
        var tensor = model["t"];
        float[] values = new float[2];
        tensor.Dequantize(values);

        Assert.Equal([1f, -2f], values);
        Assert.Equal((DType.F32, "keep", 16.0), (tensor.DType, tensor.Codec, tensor.BitsPerWeight));
        Assert.True(tensor.TryGetSpan<Half>(out _));
        Assert.False(tensor.TryGetSpan<float>(out _));
    }

    [Theory]
    [InlineData("I32", new long[] { 2 }, "only float types are converted")]
    [InlineData("F32", new long[] { 3 }, "stored with the shape [2], but described with [3]")]
    [InlineData("F32", new long[] { 2, 1 }, "but described with [2, 1]")]
    public void MustFitItsDescription(string dtype, long[] shape, string message)
    {
        using var model = PackedModel.FromBytes(Described(dtype, shape, new byte[4]));
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => model["t"]).Message, StringComparison.Ordinal);
    }

    private static byte[] Described(string dtype, long[] shape, byte[] halves)
    {
        string description = $$$$"""{"version":1,"tensors":{"t":{"codec":"keep","dtype":"{{{{dtype}}}}","shape":[{{{{string.Join(',', shape)}}}}]}}}""";
        byte[] file = SafetensorsBytes.Of(
            $$$"""{"__metadata__":{"compress":{{{JsonSerializer.Serialize(description)}}}},"t":{{{SafetensorsBytes.Entry(DType.F16, [halves.Length / 2], 0, halves.Length)}}}}""",
            halves.Length);
        halves.CopyTo(file, file.Length - halves.Length);
        return file;
    }
}
