using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Compress.LongTests;

/// <summary>Large models in files that take little room on the disk: each layer begins with a row of numbers of its own, and the rest is a hole of zeros.</summary>
internal static class SparseModel
{
    /// <summary>Writes square F32 layers <c>layers.000.weight</c> and so on.</summary>
    /// <returns>The Euclidean norm of the last layer's first row.</returns>
    public static double Write(string path, int layers, int side, int seed)
    {
        long layerBytes = 4L * side * side;
        var header = new StringBuilder("{");
        for (int layer = 0; layer < layers; layer++)
        {
            header.Append(CultureInfo.InvariantCulture,
                $"{(layer == 0 ? "" : ",")}\"layers.{layer:000}.weight\":{{\"dtype\":\"F32\",\"shape\":[{side},{side}],\"data_offsets\":[{layer * layerBytes},{(layer + 1) * layerBytes}]}}");
        }

        byte[] json = Encoding.UTF8.GetBytes(header.Append('}').ToString());
        using var file = File.Create(path);
        file.Write(BitConverter.GetBytes(json.LongLength));
        file.Write(json);
        long data = file.Position;
        var random = new Random(seed);
        float[] row = new float[side];
        for (int layer = 0; layer < layers; layer++)
        {
            for (int i = 0; i < side; i++)
            {
                row[i] = random.NextSingle() - 0.5f;
            }

            file.Position = data + (layer * layerBytes);
            file.Write(MemoryMarshal.AsBytes<float>(row));
        }

        file.SetLength(data + (layers * layerBytes));
        return Math.Sqrt(row.Sum(value => (double)value * value));
    }
}
