using System.Text.Json;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime;

/// <summary>How one tensor is packed.</summary>
/// <param name="Codec">The codec's name.</param>
/// <param name="DType">Its element type in the source model.</param>
/// <param name="Shape">Its shape in the source model; the product fits.</param>
/// <param name="Shared">The shared tables that it uses.</param>
/// <param name="Parameters">The whole description, the codec's parameters among it.</param>
internal sealed record TensorDescription(string Codec, DType DType, long[] Shape, string[] Shared, JsonElement Parameters)
{
    private const int MaxDimensions = 64; // as in headers

    /// <summary>Reads a description.</summary>
    /// <exception cref="InvalidDataException">It is not well-formed.</exception>
    public static TensorDescription Parse(string name, JsonElement description)
    {
        string codec = description.TryGetProperty("codec", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : throw Bad(name, "its description has no 'codec'");
        if (!description.TryGetProperty("dtype", out var type) || type.ValueKind != JsonValueKind.String)
        {
            throw Bad(name, "its description has no 'dtype'");
        }

        if (!DTypes.TryParse(type.GetString(), out var dtype))
        {
            throw Bad(name, $"its description has the dtype {Quote.Name(type.GetString()!)}, which is not known ({DTypes.AllNames})");
        }

        if (!description.TryGetProperty("shape", out var dimensions) || dimensions.ValueKind != JsonValueKind.Array)
        {
            throw Bad(name, "its description has no 'shape'");
        }

        long[] shape = [.. dimensions.EnumerateArray().Select(dimension =>
            dimension.ValueKind == JsonValueKind.Number && dimension.TryGetInt64(out long value) && value >= 0
                ? value
                : throw Bad(name, "the 'shape' of its description is not an array of whole numbers from 0"))];
        CheckProduct(name, shape);

        string[] shared = [];
        if (description.TryGetProperty("shared", out var tables))
        {
            shared = tables.ValueKind == JsonValueKind.Array && tables.EnumerateArray().All(table => table.ValueKind == JsonValueKind.String)
                ? [.. tables.EnumerateArray().Select(table => table.GetString()!)]
                : throw Bad(name, "the 'shared' of its description is not an array of texts");
        }

        return new(codec, dtype, shape, shared, description);
    }

    private static void CheckProduct(string name, long[] shape)
    {
        long product = sizeof(double); // No element is larger: so that bytes can be counted too.
        foreach (long dimension in shape)
        {
            if (shape.Length > MaxDimensions || (dimension != 0 && product > long.MaxValue / dimension))
            {
                throw Bad(name, "the 'shape' of its description has a product that is too large, or too many dimensions");
            }

            product *= dimension;
        }
    }

    /// <summary>The error for a tensor whose description is wrong.</summary>
    public static InvalidDataException Bad(string name, string what, Exception? inner = null) =>
        new($"packed tensor {Quote.Name(name)}: {what}", inner);
}
