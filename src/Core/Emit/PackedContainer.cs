using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Compress.Runtime;

namespace Compress.Core.Emit;

/// <summary>One tensor of a packed model to be written.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Description">Its description in JSON, or null for a tensor that is stored in its own type under its own name.</param>
/// <param name="Arrays">Its arrays with their full names, shared tables included.</param>
public sealed record PackedEntry(string Name, JsonElement? Description, IReadOnlyList<StoredArray> Arrays);

/// <summary>Writes the packed container; docs/format.md describes it.</summary>
public static class PackedContainer
{
    /// <summary>The key in <c>__metadata__</c> for the digest of everything that the file was made from.</summary>
    public const string DigestKey = "compress.digest";

    /// <summary>The key in <c>__metadata__</c> for the SHA-256, in lower-case hexadecimal digits, of all bytes that follow the header.</summary>
    public const string ChecksumKey = "compress.checksum";

    private static readonly string NoChecksum = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>Writes a packed model.</summary>
    /// <param name="stream">Receives the file.</param>
    /// <param name="tensors">In any order; the file's order is by name.</param>
    /// <param name="metadata">Further entries of <c>__metadata__</c>.</param>
    public static void Write(Stream stream, IEnumerable<PackedEntry> tensors, IReadOnlyDictionary<string, string> metadata) =>
        Write(stream, tensors, metadata, null, default);

    /// <summary>Writes a packed model with a checksum of its data. The checksum stands before the data: it is filled in when they have been written.</summary>
    /// <param name="stream">Receives the file; it can seek, and is at its start.</param>
    /// <param name="tensors">In any order; the file's order is by name.</param>
    /// <param name="metadata">Further entries of <c>__metadata__</c>.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static void WriteWithChecksum(
        Stream stream, IEnumerable<PackedEntry> tensors, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] header = Write(stream, tensors, new Dictionary<string, string>(metadata) { [ChecksumKey] = NoChecksum }, hash, cancellationToken);
        byte[] placeholder = Encoding.UTF8.GetBytes($"\"{ChecksumKey}\":\"{NoChecksum}\"");
        stream.Position = sizeof(long) + header.AsSpan().IndexOf(placeholder) + placeholder.Length - 1 - NoChecksum.Length;
        stream.Write(Encoding.UTF8.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset())));
    }

    /// <summary>The length in bytes of the file that <see cref="WriteWithChecksum"/> would write.</summary>
    public static long Length(IEnumerable<PackedEntry> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var (all, arrays) = Content(tensors, new Dictionary<string, string>(metadata) { [ChecksumKey] = NoChecksum });
        return SafetensorsWriter.Length(all, arrays);
    }

    private static byte[] Write(
        Stream stream,
        IEnumerable<PackedEntry> tensors,
        IReadOnlyDictionary<string, string> metadata,
        IncrementalHash? dataHash,
        CancellationToken cancellationToken)
    {
        var (all, arrays) = Content(tensors, metadata);
        return SafetensorsWriter.Write(stream, all, arrays, dataHash, cancellationToken);
    }

    private static (Dictionary<string, string> Metadata, IEnumerable<StoredArray> Arrays) Content(
        IEnumerable<PackedEntry> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var ordered = tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal).ToList();
        return (
            new Dictionary<string, string>(metadata, StringComparer.Ordinal) { [PackedFormat.MetadataKey] = Describe(ordered) },
            ordered.SelectMany(tensor => tensor.Arrays).DistinctBy(array => array.Name, StringComparer.Ordinal));
    }

    private static string Describe(List<PackedEntry> tensors)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, SafetensorsWriter.JsonOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("version", PackedFormat.Version);
            json.WriteStartObject("tensors");
            foreach (var tensor in tensors)
            {
                if (tensor.Description is { } description)
                {
                    json.WritePropertyName(tensor.Name);
                    description.WriteTo(json);
                }
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
