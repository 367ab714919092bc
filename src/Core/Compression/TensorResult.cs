using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Emit;

namespace Compress.Core.Compression;

/// <summary>How a tensor came to its packed form.</summary>
internal enum CacheUse
{
    /// <summary>No codec was needed.</summary>
    Kept,

    /// <summary>It was in the cache.</summary>
    Hit,

    /// <summary>It was encoded.</summary>
    Miss,
}

/// <summary>One tensor, ready to be written.</summary>
/// <param name="Entry">What the packed file gets.</param>
/// <param name="Key">Everything that determines its stored bytes.</param>
/// <param name="Error">Its error; zero sums for one that is kept in its own type.</param>
/// <param name="Cache">Where it came from.</param>
/// <param name="Milliseconds">Time spent on it.</param>
internal sealed record TensorResult(PackedEntry Entry, LayerKey Key, ErrorSums Error, CacheUse Cache, double Milliseconds)
{
    /// <summary>What numbers that were trained after it was encoded follow from, besides its key; empty if none were.</summary>
    public string Recovered { get; init; } = "";

    /// <summary>What its encoder had to say.</summary>
    public IReadOnlyList<EncodingWarning> Warnings { get; init; } = [];
}
