using System.Text.Encodings.Web;
using System.Security.Cryptography;
using System.Text.Json;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Emit;

/// <summary>Writes safetensors files. The bytes depend on the arguments alone.</summary>
public static class SafetensorsWriter
{
    // The data starts at a multiple of this, so that mapped floats are aligned.
    private const int Alignment = 64;

    /// <summary>Quotes are escaped as \" and not as \u0022: the descriptions of packed tensors are JSON inside JSON, full of quotes.</summary>
    internal static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Writes a file. Arrays are ordered by descending element size, then by name: so each is aligned to its elements without gaps,
    /// which the format forbids.
    /// </summary>
    /// <param name="stream">Receives the file.</param>
    /// <param name="metadata">The entries of <c>__metadata__</c>.</param>
    /// <param name="arrays">In any order.</param>
    /// <param name="dataHash">Given all bytes that follow the header, if not null.</param>
    /// <param name="cancellationToken">Ends the writing, between pieces of at most a megabyte where there is a <paramref name="dataHash"/>.</param>
    /// <returns>The header as written, without the eight bytes of its length.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidDataException">An array wrote another number of bytes than it said.</exception>
    public static byte[] Write(
        Stream stream,
        IReadOnlyDictionary<string, string> metadata,
        IEnumerable<StoredArray> arrays,
        IncrementalHash? dataHash = null,
        CancellationToken cancellationToken = default)
    {
        var ordered = Ordered(arrays);
        byte[] header = Header(metadata, ordered);
        stream.Write(BitConverter.GetBytes(header.LongLength));
        stream.Write(header);
        using var data = dataHash is null ? null : new HashingStream(stream, dataHash, cancellationToken);
        var target = data ?? stream;
        foreach (var array in ordered)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long start = target.Position;
            array.CopyTo(target);
            if (target.Position - start != array.ByteLength)
            {
                throw new InvalidDataException($"array '{array.Name}' wrote {target.Position - start} bytes instead of {array.ByteLength}");
            }
        }

        return header;
    }

    /// <summary>The length in bytes of the file that <see cref="Write"/> would write.</summary>
    public static long Length(IReadOnlyDictionary<string, string> metadata, IEnumerable<StoredArray> arrays)
    {
        var ordered = Ordered(arrays);
        return sizeof(long) + Header(metadata, ordered).LongLength + ordered.Sum(array => array.ByteLength);
    }

    private static List<StoredArray> Ordered(IEnumerable<StoredArray> arrays) =>
        [.. arrays.OrderByDescending(array => array.DType.SizeInBytes()).ThenBy(array => array.Name, StringComparer.Ordinal)];

    private static byte[] Header(IReadOnlyDictionary<string, string> metadata, List<StoredArray> arrays)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonOptions))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            long offset = 0;
            foreach (var array in arrays)
            {
                json.WriteStartObject(array.Name);
                json.WriteString("dtype", array.DType.Name());
                json.WriteStartArray("shape");
                foreach (long dimension in array.Shape)
                {
                    json.WriteNumberValue(dimension);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += array.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // The format allows trailing spaces.
        while ((sizeof(long) + buffer.Length) % Alignment != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }
}
