using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Compress.Core.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Caching;

/// <summary>
/// The name of a cache entry: SHA-256 over everything that determines its bytes, and nothing else. No path, no tensor name, no clock,
/// no machine, so that entries may be shared between projects and agents.
/// </summary>
public static class CacheKey
{
    /// <summary>The key of one encoded tensor.</summary>
    /// <param name="codec">The method.</param>
    /// <param name="encoder">Its settings.</param>
    /// <param name="dtype">The tensor's element type in the source.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="contentHash">SHA-256 of its bytes.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string ForLayer(ICodec codec, ILayerEncoder encoder, DType dtype, IReadOnlyList<long> shape, byte[] contentHash) =>
        Digest(
        [
            FormattableString.Invariant($"compress layer {LayerEntry.FormatVersion}"),
            codec.Name,
            FormattableString.Invariant($"{codec.Version}"),
            encoder.Settings,
            dtype.Name(),
            string.Join(',', shape.Select(dimension => FormattableString.Invariant($"{dimension}"))),
            Convert.ToHexStringLower(contentHash),
        ]);

    /// <summary>The digest of several texts in order; each is preceded by its length, so that no two lists give the same bytes.</summary>
    public static string Digest(IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] length = new byte[sizeof(int)];
        foreach (string part in parts)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
