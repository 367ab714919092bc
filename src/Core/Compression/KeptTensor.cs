using System.Globalization;
using System.Text.Json;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>Tensors that are stored without a codec: byte by byte, or rounded to a narrower float type.</summary>
internal static class KeptTensor
{
    private const int FloatsAtOnce = 1 << 16;
    private const int Version = 1; // raised when the same tensor is stored in other bytes

    /// <summary>The key of a tensor that is stored in a type.</summary>
    public static LayerKey Key(SourceTensor tensor, DType type) =>
        LayerKey.Of("keep", Version, type.Name(), tensor.DType, tensor.Shape, tensor.ContentHash());

    /// <summary>The tensor as it is.</summary>
    public static PackedEntry AsStored(SourceTensor tensor) =>
        new(tensor.Name, null, [new StoredArray(tensor.Name, tensor.DType, tensor.Shape, tensor.ByteLength, tensor.CopyBytes)]);

    /// <summary>The tensor rounded (to nearest, ties to even) to another float type.</summary>
    public static PackedEntry Rounded(SourceTensor tensor, DType type)
    {
        var description = JsonSerializer.SerializeToElement(new { codec = "keep", dtype = tensor.DType.Name(), shape = tensor.Shape });
        long bytes = checked(tensor.Count * type.SizeInBytes());
        return new(tensor.Name, description, [new StoredArray(tensor.Name, type, tensor.Shape, bytes, stream => Write(tensor, type, stream))]);
    }

    /// <summary>The error of rounding.</summary>
    /// <exception cref="CompressException">A finite value is too large for the type.</exception>
    public static ErrorSums Measure(SourceTensor tensor, DType type, CancellationToken cancellationToken)
    {
        if (tensor.FirstBeyondFloat() is { } beyond)
        {
            throw TooLarge(tensor, beyond.Value, beyond.Index, type, "keep it as it is with 'keep: source'");
        }

        double weightEnergy = 0, errorEnergy = 0;
        long index = 0;
        foreach (var block in Blocks(tensor))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (float weight in block.Span)
            {
                float rounded = RoundedElements.Round(weight, type);
                if (!float.IsFinite(rounded) && float.IsFinite(weight))
                {
                    throw TooLarge(tensor, weight, index, type, "keep it as bfloat16 or float32");
                }

                if (float.IsFinite(weight))
                {
                    double error = (double)weight - rounded;
                    weightEnergy += (double)weight * weight;
                    errorEnergy += error * error;
                }

                index++;
            }
        }

        return new(weightEnergy, errorEnergy);
    }

    private static CompressException TooLarge(SourceTensor tensor, double value, long index, DType type, string advice) => new(
        Codes.ModelValueOutOfRange,
        string.Create(CultureInfo.InvariantCulture,
            $"tensor '{tensor.Name}' has the value {value:G9} at index {index}, which {type.Name()} cannot hold; {advice}"),
        tensor.File);

    private static void Write(SourceTensor tensor, DType type, Stream stream)
    {
        foreach (var block in Blocks(tensor))
        {
            RoundedElements.Write(block.Span, type, stream);
        }
    }

    private static IEnumerable<ReadOnlyMemory<float>> Blocks(SourceTensor tensor)
    {
        int rowsAtOnce = Math.Clamp(FloatsAtOnce / Math.Max(tensor.Columns, 1), 1, Math.Max(tensor.Rows, 1));
        float[] buffer = new float[rowsAtOnce * tensor.Columns];
        for (int row = 0; row < tensor.Rows; row += rowsAtOnce)
        {
            int rows = Math.Min(rowsAtOnce, tensor.Rows - row);
            tensor.ReadRows(row, rows, buffer);
            yield return buffer.AsMemory(0, rows * tensor.Columns);
        }
    }
}
