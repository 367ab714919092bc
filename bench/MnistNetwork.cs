using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics.Tensors;
using Compress.Runtime;

namespace Compress.Bench;

/// <summary>Images of handwritten digits, [n, 28, 28], and what they show.</summary>
internal sealed record Digits(float[] Images, byte[] Labels)
{
    public const int Side = 28;

    /// <summary>Reads the test set of MNIST from a folder: files in IDX format, as they are distributed, pixels normalized as in training.</summary>
    public static Digits Read(string folder)
    {
        byte[] images = Content(Path.Combine(folder, "t10k-images-idx3-ubyte.gz"), 16), labels = Content(Path.Combine(folder, "t10k-labels-idx1-ubyte"), 8);
        return images.Length == labels.Length * Side * Side
            ? new([.. images.Select(pixel => ((pixel / 255f) - 0.1307f) / 0.3081f)], labels)
            : throw new InvalidDataException($"{folder}: {images.Length} pixels do not fit {labels.Length} labels");
    }

    private static byte[] Content(string path, int headerBytes)
    {
        using Stream file = File.OpenRead(path);
        using Stream content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var bytes = new MemoryStream();
        content.CopyTo(bytes);
        byte[] all = bytes.ToArray();
        int count = BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(4));
        return count > 0 && (all.Length - headerBytes) % count == 0 ? all[headerBytes..] : throw new InvalidDataException($"{path} is cut short");
    }
}

/// <summary>
/// The small convolutional network of tracel-ai/burn's MNIST example: three convolutions of 3 × 3 with ReLU, batch normalization, two linear layers, batch
/// normalization. Convolutions are unpacked; linear layers multiply as an application does.
/// </summary>
internal sealed class MnistNetwork(PackedModel model)
{
    private const int Batch = 200, Kernel = 3;

    private readonly Convolution[] convolutions = [new(model, "conv1"), new(model, "conv2"), new(model, "conv3")];
    private readonly PackedTensor hidden = model["fc1.weight"], digits = model["fc2.weight"];
    private readonly float[] hiddenBias = Values(model, "fc1.bias"), digitsBias = Values(model, "fc2.bias");
    private readonly Normalization features = new(model, "norm1"), scores = new(model, "norm2");

    /// <summary>The part of images whose digit the network finds.</summary>
    public double Accuracy(Digits data)
    {
        int right = 0, pixels = Digits.Side * Digits.Side;
        for (int first = 0; first < data.Labels.Length; first += Batch)
        {
            int count = Math.Min(Batch, data.Labels.Length - first);
            float[] flat = new float[count * hidden.Columns], units = new float[count * hidden.Rows], found = new float[count * digits.Rows];
            Parallel.For(0, count, image => Features(data.Images.AsSpan((first + image) * pixels, pixels)).CopyTo(flat, image * hidden.Columns));
            hidden.Multiply(flat, units, count);
            for (int i = 0; i < units.Length; i++)
            {
                units[i] = Math.Max(units[i] + hiddenBias[i % hidden.Rows], 0);
            }

            digits.Multiply(units, found, count);
            for (int image = 0; image < count; image++)
            {
                var row = found.AsSpan(image * digits.Rows, digits.Rows);
                TensorPrimitives.Add(row, digitsBias, row);
                scores.Apply(row, 1);
                right += TensorPrimitives.IndexOfMax<float>(row) == data.Labels[first + image] ? 1 : 0;
            }
        }

        return right / (double)data.Labels.Length;
    }

    private float[] Features(ReadOnlySpan<float> image)
    {
        float[] maps = image.ToArray();
        int side = Digits.Side;
        foreach (var convolution in convolutions)
        {
            maps = convolution.Apply(maps, side);
            side -= Kernel - 1;
        }

        features.Apply(maps, side * side);
        return maps;
    }

    private static float[] Values(PackedModel model, string name)
    {
        float[] values = new float[model[name].Count];
        model[name].Dequantize(values);
        return values;
    }

    /// <summary>Without padding, and with ReLU.</summary>
    private sealed class Convolution(PackedModel model, string name)
    {
        private readonly float[] weights = Values(model, name + ".weight"), bias = Values(model, name + ".bias");

        /// <summary>[in, side, side] to [out, side − 2, side − 2].</summary>
        public float[] Apply(float[] maps, int side)
        {
            int inputs = maps.Length / (side * side), result = side - Kernel + 1;
            float[] made = new float[bias.Length * result * result];
            for (int output = 0; output < bias.Length; output++)
            {
                var map = made.AsSpan(output * result * result, result * result);
                map.Fill(bias[output]);
                for (int tap = 0; tap < inputs * Kernel * Kernel; tap++)
                {
                    (int input, int down, int right) = (tap / (Kernel * Kernel), tap / Kernel % Kernel, tap % Kernel);
                    float weight = weights[(output * inputs * Kernel * Kernel) + tap];
                    for (int y = 0; y < result; y++)
                    {
                        var row = map.Slice(y * result, result);
                        TensorPrimitives.MultiplyAdd(maps.AsSpan((((input * side) + y + down) * side) + right, result), weight, row, row);
                    }
                }

                TensorPrimitives.Max(map, 0f, map);
            }

            return made;
        }
    }

    /// <summary>Batch normalization with the statistics of training.</summary>
    private sealed class Normalization
    {
        private const float Epsilon = 1e-5f;

        private readonly float[] factor, offset;

        public Normalization(PackedModel model, string name)
        {
            float[] mean = Values(model, name + ".running_mean"), variance = Values(model, name + ".running_var");
            factor = [.. Values(model, name + ".weight").Select((weight, i) => weight / MathF.Sqrt(variance[i] + Epsilon))];
            offset = [.. Values(model, name + ".bias").Select((bias, i) => bias - (mean[i] * factor[i]))];
        }

        /// <summary>Of channels of so many values each.</summary>
        public void Apply(Span<float> values, int channelSize)
        {
            for (int channel = 0; channel < factor.Length; channel++)
            {
                var part = values.Slice(channel * channelSize, channelSize);
                TensorPrimitives.Multiply(part, factor[channel], part);
                TensorPrimitives.Add(part, offset[channel], part);
            }
        }
    }
}
