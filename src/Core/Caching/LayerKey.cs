using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Compress.Core.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Caching;

/// <summary>
/// Everything that determines the packed bytes of one tensor, part by part, and nothing else: no path, no tensor name, no clock, no machine.
/// Its digest names the cache entry, so that entries may be shared between projects and agents; the report lists the parts, so that a miss
/// can be explained.
/// </summary>
/// <param name="Codec">The codec's name, or <c>keep</c>.</param>
/// <param name="CodecVersion">The version of what the codec writes.</param>
/// <param name="Settings">The codec's settings in canonical form; of a kept tensor, the type that it is stored as.</param>
/// <param name="DType">The element type in the source: <c>F32</c>.</param>
/// <param name="Shape">The dimensions in the source, outermost first: <c>4096,4096</c>.</param>
/// <param name="Weights">SHA-256 of the tensor's bytes in the source, in lower-case hexadecimal digits.</param>
/// <param name="Statistics">
/// What the layer's statistics are computed from, or read from, in words <c>name=value</c>: so a layer that is in the cache needs no statistics.
/// Empty if the codec needs none.
/// </param>
public sealed record LayerKey(
    string Codec, int CodecVersion, string Settings, [property: JsonPropertyName("dtype")] string DType, string Shape, string Weights, string Statistics = "")
{
    /// <summary>The key of a tensor under a codec.</summary>
    /// <param name="codec">The method.</param>
    /// <param name="encoder">Its settings.</param>
    /// <param name="dtype">The tensor's element type in the source.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="contentHash">SHA-256 of its bytes.</param>
    /// <param name="statistics">What its statistics follow from; empty if the codec needs none.</param>
    public static LayerKey Of(
        ICodec codec, ILayerEncoder encoder, DType dtype, IReadOnlyList<long> shape, byte[] contentHash, string statistics = "") =>
        Of(codec.Name, codec.Version, encoder.Settings, dtype, shape, contentHash) with { Statistics = statistics };

    /// <summary>The key of a tensor that is treated in any way.</summary>
    public static LayerKey Of(string codec, int version, string settings, DType dtype, IReadOnlyList<long> shape, byte[] contentHash) => new(
        codec,
        version,
        settings,
        dtype.Name(),
        string.Join(',', shape.Select(dimension => dimension.ToString(CultureInfo.InvariantCulture))),
        Convert.ToHexStringLower(contentHash));

    /// <summary>All parts with the names that users know them by, in the order in which they are digested.</summary>
    [JsonIgnore]
    public IReadOnlyList<(string Name, string Value)> Parts =>
    [
        ("entry format", FormattableString.Invariant($"compress layer {LayerEntry.FormatVersion}")),
        ("codec", Codec),
        ("codec version", CodecVersion.ToString(CultureInfo.InvariantCulture)),
        ("settings", Settings),
        ("dtype", DType),
        ("shape", Shape),
        ("weights", Weights),
        ("statistics", Statistics),
    ];

    /// <summary>SHA-256 over the parts: 64 lower-case hexadecimal digits.</summary>
    [JsonIgnore]
    public string Digest => DigestOf(Parts.Select(part => part.Value));

    /// <summary>
    /// The name of the cache entry. A salt gives other names to the same bytes: whoever sets a new one starts with an empty cache,
    /// without taking the old one from others.
    /// </summary>
    public string EntryName(string salt) => salt.Length == 0 ? Digest : DigestOf([salt, Digest]);

    /// <summary>The digest of several texts in order; each is preceded by its length, so that no two lists give the same bytes.</summary>
    public static string DigestOf(IEnumerable<string> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] length = new byte[sizeof(int)];
        foreach (string text in texts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
