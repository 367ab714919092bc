using System.Runtime.InteropServices;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Infra;

/// <summary>Builds small safetensors files for tests.</summary>
internal sealed class TestModel
{
    private readonly List<StoredArray> arrays = [];

    /// <summary>Numbers that look Gaussian enough, the same on every machine.</summary>
    public static float[] Gaussian(int count, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            double sum = -6;
            for (int k = 0; k < 12; k++)
            {
                sum += random.NextDouble();
            }

            values[i] = (float)sum;
        }

        return values;
    }

    public TestModel Add(string name, DType type, long[] shape, byte[] bytes)
    {
        arrays.Add(new StoredArray(name, type, shape, bytes.Length, stream => stream.Write(bytes)));
        return this;
    }

    public TestModel Add(string name, long[] shape, params float[] values) =>
        Add(name, DType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    public TestModel AddGaussian(string name, int rows, int columns, int seed) => Add(name, [rows, columns], Gaussian(rows * columns, seed));

    public string Write(string path)
    {
        using var stream = File.Create(path);
        SafetensorsWriter.Write(stream, new Dictionary<string, string>(), arrays);
        return path;
    }
}
