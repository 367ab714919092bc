using System.Text.Json;
using System.Text.Json.Nodes;
using Compress.Runtime;
using Compress.Runtime.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs;

/// <summary>Opens an encoded tensor with the Runtime's own decoder, as an application will, without a file.</summary>
internal static class DecodedTensor
{
    private const string Name = "tensor";

    /// <summary>The tensor as its application sees it. Shared tables are charged to it alone.</summary>
    /// <param name="encoded">Its arrays must not change while the result is in use.</param>
    /// <param name="dtype">The element type in the source model.</param>
    /// <param name="shape">The shape in the source model.</param>
    /// <exception cref="InvalidDataException">The decoder refuses it: an encoder is at fault.</exception>
    public static PackedTensor Open(EncodedTensor encoded, DType dtype, IReadOnlyList<long> shape) => DecoderTable.Open(encoded.Codec, Parts(encoded, dtype, shape));

    /// <summary>What a decoder is given of the tensor.</summary>
    public static PackedParts Parts(EncodedTensor encoded, DType dtype, IReadOnlyList<long> shape)
    {
        var found = new Dictionary<string, (TensorEntry Entry, ByteView View)>(StringComparer.Ordinal);
        foreach (var part in encoded.Parts)
        {
            string full = part.Shared ? PackedFormat.SharedName(part.Name) : PackedFormat.PartName(Name, part.Name);
            var entry = new TensorEntry(full, part.DType, part.Shape, 0, part.Bytes.LongLength);
            found.Add(full, (entry, new ByteView(MappedBytes.FromArray(part.Bytes), 0, part.Bytes.LongLength)));
        }

        double weights = shape.Aggregate(1.0, (product, dimension) => product * dimension);
        return new(
            Name,
            dtype,
            shape,
            Parsed(encoded.Parameters),
            full => found.TryGetValue(full, out var hit) ? hit : null,
            full => weights == 0 ? 0 : 8.0 * found[full].View.Length / weights);
    }

    private static JsonElement Parsed(JsonObject parameters)
    {
        using var document = JsonDocument.Parse(parameters.ToJsonString());
        return document.RootElement.Clone();
    }
}
