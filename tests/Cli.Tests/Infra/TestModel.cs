using System.Runtime.InteropServices;
using System.Text;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Cli.Tests.Infra;

/// <summary>Builds small safetensors files, well-formed ones and others.</summary>
internal sealed class TestModel
{
    private readonly List<StoredArray> arrays = [];

    /// <summary>Two compressible matrices, a norm, and a table of integers.</summary>
    public static TestModel Ordinary() => new TestModel()
        .AddGaussian("layers.0.up.weight", 48, 80, 1)
        .AddGaussian("layers.0.down.weight", 80, 48, 2)
        .Add("layers.0.norm.weight", [80], Gaussian(80, 3))
        .Add("positions", DType.I64, [3], new byte[24]);

    public static float[] Gaussian(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6))];
    }

    /// <summary>A file with any header and any data.</summary>
    public static void WriteRaw(string path, string header, byte[] data, long? headerLength = null)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes(headerLength ?? text.LongLength), .. text, .. data]);
    }

    public TestModel Add(string name, DType type, long[] shape, byte[] bytes)
    {
        arrays.Add(new StoredArray(name, type, shape, bytes.Length, stream => stream.Write(bytes)));
        return this;
    }

    public TestModel Add(string name, long[] shape, params float[] values) =>
        Add(name, DType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    public TestModel AddGaussian(string name, int rows, int columns, int seed) => Add(name, [rows, columns], Gaussian(rows * columns, seed));

    public void Write(string path)
    {
        using var stream = File.Create(path);
        SafetensorsWriter.Write(stream, new Dictionary<string, string>(), arrays);
    }
}
