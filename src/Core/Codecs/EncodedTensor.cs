using System.Text.Json.Nodes;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs;

/// <summary>A tensor in packed form: what the container stores of it. docs/format.md gives each codec's arrays to the bit.</summary>
/// <param name="Codec">The codec's name, by which the Runtime finds its decoder.</param>
/// <param name="Parameters">The decoder's parameters. Numbers, texts and booleans only, and the descriptions of parts; the order of keys is kept.</param>
/// <param name="Parts">The stored arrays.</param>
public sealed record EncodedTensor(string Codec, JsonObject Parameters, IReadOnlyList<EncodedPart> Parts)
{
    /// <summary>What the user should know of how it was encoded. Not stored in packed files; the cache keeps it, so that a hit says it again.</summary>
    public IReadOnlyList<EncodingWarning> Warnings { get; init; } = [];

    /// <summary>This tensor with a matrix that is packed by itself as a part of it.</summary>
    /// <param name="name">What this tensor's decoder calls the part.</param>
    /// <param name="part">The matrix.</param>
    /// <param name="shape">Its shape, <c>[rows, columns]</c>.</param>
    public EncodedTensor With(string name, EncodedTensor part, params long[] shape)
    {
        var description = new JsonObject
        {
            ["codec"] = part.Codec,
            ["dtype"] = DType.F32.Name(),
            ["shape"] = new JsonArray([.. shape.Select(dimension => JsonValue.Create(dimension))]),
        };
        foreach (var (key, value) in part.Parameters)
        {
            description.Add(key, value?.DeepClone());
        }

        var parameters = (JsonObject)Parameters.DeepClone();
        if (parameters["parts"] is not JsonObject parts)
        {
            parameters["parts"] = parts = [];
        }

        parts.Add(name, description);
        var arrays = part.Parts.Select(array => array.Shared ? array : array with { Name = array.Name.Length == 0 ? name : PackedFormat.PartName(name, array.Name) });
        var known = Parts.Where(array => array.Shared).Select(array => array.Name).ToHashSet(StringComparer.Ordinal);
        return this with
        {
            Parameters = parameters,
            Parts = [.. Parts, .. arrays.Where(array => !array.Shared || known.Add(array.Name))],
            Warnings = [.. Warnings, .. part.Warnings],
        };
    }
}

/// <summary>Something about one tensor that is not as the recipe asks.</summary>
/// <param name="Code">The code of the diagnostic.</param>
/// <param name="Text">What is so, and what to do; without the tensor's name.</param>
public sealed record EncodingWarning(string Code, string Text);

/// <summary>One stored array of a packed tensor.</summary>
/// <param name="Name">Such as <c>codes</c>; empty for the elements of a matrix that is stored one by one; of a shared table, its name among all tables, which determines its bytes: <c>grid.p2n256</c>.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="Bytes">The elements, little-endian.</param>
/// <param name="Shared">True for a table that is stored once in a file, however many tensors use it.</param>
public sealed record EncodedPart(string Name, DType DType, long[] Shape, byte[] Bytes, bool Shared = false)
{
    /// <summary>How codes lie in it; null if it holds something else.</summary>
    public CodeRows? Codes { get; init; }
}

/// <summary>Rows of codes, each in the layout that docs/format.md gives for so many values.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="PerRow">Codes of a row.</param>
/// <param name="Values">Values of a code.</param>
public sealed record CodeRows(int Rows, int PerRow, int Values);
