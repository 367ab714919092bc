using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Compress.Build.Tests.Infra;

/// <summary>Writes a small model: two matrices, a vector.</summary>
internal static class Weights
{
    public const string Attention = "model.layers.0.self_attn.q_proj.weight"; // [64, 64]
    public const string FeedForward = "model.layers.0.mlp.up_proj.weight"; // [128, 64]
    public const string Norm = "model.norm.weight"; // [64]

    /// <summary>Writes the file. Another seed gives other numbers in the attention matrix, and in it alone.</summary>
    public static void Write(string path, int seed = 1, float norm = 1.5f, float first = 0.25f)
    {
        float[] attention = Gaussian(64 * 64, seed);
        attention[0] = first;
        Write(path, (Attention, [64, 64], attention), (FeedForward, [128, 64], Gaussian(128 * 64, 99)), (Norm, [64], [.. Enumerable.Repeat(norm, 64)]));
    }

    public static void Write(string path, params (string Name, int[] Shape, float[] Values)[] tensors)
    {
        var header = new StringBuilder("{");
        int offset = 0;
        foreach (var (name, shape, values) in tensors)
        {
            int end = offset + (4 * values.Length);
            header.Append(offset == 0 ? "" : ",")
                .Append($"\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(",", shape)}],\"data_offsets\":[{offset},{end}]}}");
            offset = end;
        }

        byte[] json = Encoding.UTF8.GetBytes(header.Append('}').ToString());
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Write(length);
        file.Write(json);
        foreach (var (_, _, values) in tensors)
        {
            file.Write(MemoryMarshal.AsBytes<float>(values));
        }
    }

    /// <summary>Writes the header of a model of one F32 tensor, and leaves its values to the file system: zeros that take no space.</summary>
    public static void WriteHeader(string path, string name, params long[] shape)
    {
        long bytes = shape.Aggregate((long)sizeof(float), (product, size) => product * size);
        byte[] json = Encoding.UTF8.GetBytes($"{{\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(",", shape)}],\"data_offsets\":[0,{bytes}]}}}}");
        using var file = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Write(length);
        file.Write(json);
        file.SetLength(length.Length + json.Length + bytes);
    }

    // Sums of uniform numbers are near enough to Gaussian for a test, and the same everywhere.
    private static float[] Gaussian(int count, int seed)
    {
        ulong state = (ulong)seed;
        return [.. Enumerable.Range(0, count).Select(_ => (float)((Enumerable.Range(0, 12).Sum(_ => Next(ref state)) - 6) * 0.1))];
    }

    private static double Next(ref ulong state)
    {
        state = unchecked((state * 6364136223846793005UL) + 1442695040888963407UL);
        return (state >> 11) / (double)(1UL << 53);
    }
}
