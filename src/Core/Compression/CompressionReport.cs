using System.Text.Json.Serialization;
using Compress.Core.Caching;

namespace Compress.Core.Compression;

/// <summary>What a compression did. Serialized as the JSON report.</summary>
public sealed record CompressionReport
{
    /// <summary>The absolute path of the source model.</summary>
    public required string Model { get; init; }

    /// <summary>Bytes of all tensors in the source, without headers.</summary>
    public required long SourceBytes { get; init; }

    /// <summary>Bytes of the packed file, header included.</summary>
    public required long PackedBytes { get; init; }

    /// <summary>All bits stored for the compressed layers, shared tables included, over their number of weights; 0 if none is compressed.</summary>
    public required double BitsPerWeight { get; init; }

    /// <summary>Σ(w − ŵ)² / Σw² over all compressed layers.</summary>
    public required double RelativeMse { get; init; }

    /// <summary>Layers taken from the cache.</summary>
    public required int CacheHits { get; init; }

    /// <summary>Layers encoded.</summary>
    public required int CacheMisses { get; init; }

    /// <summary>The salt of the cache: another one finds no entries.</summary>
    public required string CacheSalt { get; init; }

    /// <summary>Wall time of the whole.</summary>
    public required long Milliseconds { get; init; }

    /// <summary>All tensors, by name.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>The absolute paths of all files read: the model's, and the recipe if there is one.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>True if the packed file was already what it should be, and was not written.</summary>
    [JsonIgnore]
    public bool Unchanged { get; init; }
}

/// <summary>One tensor in a <see cref="CompressionReport"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Codec">The codec's name, or <c>keep</c>.</param>
/// <param name="BitsPerWeight">All its stored bits, and its part of shared tables, over its number of elements.</param>
/// <param name="RelativeMse">Σ(w − ŵ)² / Σw².</param>
/// <param name="Bytes">Bytes that it alone takes in the file.</param>
/// <param name="Cache"><c>hit</c>, <c>miss</c>, or <c>kept</c> where no codec was needed.</param>
/// <param name="Milliseconds">Time spent on it: hashing, and encoding if it was not in the cache.</param>
/// <param name="Key">What its bytes follow from, part by part: what differs from the last report is why it was encoded again.</param>
public sealed record LayerReport(
    string Name,
    IReadOnlyList<long> Shape,
    string Codec,
    double BitsPerWeight,
    double RelativeMse,
    long Bytes,
    string Cache,
    double Milliseconds,
    LayerKey Key);
