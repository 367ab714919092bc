using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Emit;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Caching;

/// <summary>
/// A cache entry: one encoded tensor in a file. The file is a packed container of the single tensor <c>w</c>, followed by the
/// SHA-256 of all that precedes.
/// </summary>
public sealed class LayerEntry
{
    /// <summary>Part of every key: raised when the layout of entries changes.</summary>
    public const int FormatVersion = 1;

    private const string TensorName = "w";
    private const string ErrorKey = "compress.error", WarningsKey = "compress.warnings";
    private const int BufferBytes = 1 << 20;

    private readonly string path;
    private readonly IReadOnlyList<TensorEntry> arrays;

    private LayerEntry(string path, JsonElement description, ErrorSums error, IReadOnlyList<EncodingWarning> warnings, IReadOnlyList<TensorEntry> arrays)
    {
        this.path = path;
        Description = description;
        Error = error;
        Warnings = warnings;
        this.arrays = arrays;
    }

    /// <summary>The tensor's description as the packed container stores it.</summary>
    public JsonElement Description { get; }

    /// <summary>The error that was measured when it was encoded.</summary>
    public ErrorSums Error { get; }

    /// <summary>What the encoder had to say.</summary>
    public IReadOnlyList<EncodingWarning> Warnings { get; }

    /// <summary>Writes an entry.</summary>
    public static void Write(Stream stream, EncodedTensor tensor, DType dtype, IReadOnlyList<long> shape, ErrorSums error)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var hashing = new HashingStream(stream, hash);
        var metadata = new Dictionary<string, string>
        {
            [ErrorKey] = JsonSerializer.Serialize(new[] { error.WeightEnergy, error.ErrorEnergy }),
        };
        if (tensor.Warnings.Count > 0)
        {
            metadata[WarningsKey] = JsonSerializer.Serialize(tensor.Warnings.Select(warning => new[] { warning.Code, warning.Text }));
        }

        PackedContainer.Write(hashing, [Packed(tensor, dtype, shape)], metadata);
        stream.Write(hash.GetHashAndReset());
    }

    /// <summary>Opens an entry and checks every byte of it.</summary>
    /// <returns>Null if there is no such file.</returns>
    /// <exception cref="InvalidDataException">The entry is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static LayerEntry? Read(string path)
    {
        FileStream stream;
        try
        {
            stream = Open(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        using (stream)
        {
            CheckSum(stream);
            try
            {
                return Parse(path, stream);
            }
            catch (Exception exception) when (exception is SafetensorsException or JsonException or KeyNotFoundException or InvalidOperationException)
            {
                throw new InvalidDataException(exception.Message, exception);
            }
        }
    }

    /// <summary>The tensor under its own name, for the packed model. Its arrays are read from the entry when they are written.</summary>
    public PackedEntry As(string name) => new(name, Description, [.. arrays.Select(array => Stored(array, name))]);

    /// <summary>True if it says of itself that it is of this key: a good checksum does not tell who wrote it.</summary>
    public bool IsOf(LayerKey key) =>
        Text("codec") == key.Codec
        && Text("dtype") == key.DType
        && Description.TryGetProperty("shape", out var shape)
        && shape.ValueKind == JsonValueKind.Array
        && string.Join(',', shape.EnumerateArray().Select(dimension => dimension.GetRawText())) == key.Shape;

    /// <summary>Writes the whole entry. Reading a written entry checks it.</summary>
    /// <exception cref="EntryGoneException">It has been removed.</exception>
    public void CopyTo(Stream output) => Reading(input => input.CopyTo(output, BufferBytes));

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);

    private static PackedEntry Packed(EncodedTensor tensor, DType dtype, IReadOnlyList<long> shape)
    {
        var description = new JsonObject
        {
            ["codec"] = tensor.Codec,
            ["dtype"] = dtype.Name(),
            ["shape"] = new JsonArray([.. shape.Select(dimension => JsonValue.Create(dimension))]),
        };
        foreach (var (key, value) in tensor.Parameters)
        {
            description.Add(key, value?.DeepClone());
        }

        var shared = tensor.Parts.Where(part => part.Shared).Select(part => JsonValue.Create(part.Name)).ToArray();
        if (shared.Length > 0)
        {
            description["shared"] = new JsonArray([.. shared]);
        }

        var arrays = tensor.Parts.Select(part => new StoredArray(
            part.Shared ? PackedFormat.SharedName(part.Name) : PackedFormat.PartName(TensorName, part.Name),
            part.DType,
            part.Shape,
            part.Bytes.LongLength,
            stream => stream.Write(part.Bytes)));
        return new PackedEntry(TensorName, JsonSerializer.SerializeToElement(description), [.. arrays]);
    }

    private static void CheckSum(FileStream stream)
    {
        long bodyLength = stream.Length - SHA256.HashSizeInBytes;
        if (bodyLength < 0)
        {
            throw new InvalidDataException($"{stream.Length} bytes are too few for an entry");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        CopyBytes(stream, bodyLength, hash.AppendData);
        Span<byte> stored = stackalloc byte[SHA256.HashSizeInBytes];
        stream.ReadExactly(stored);
        if (!stored.SequenceEqual(hash.GetHashAndReset()))
        {
            throw new InvalidDataException("its checksum does not match its content");
        }
    }

    private static LayerEntry Parse(string path, FileStream stream)
    {
        var header = SafetensorsHeader.Read(stream.Length - SHA256.HashSizeInBytes, (offset, count) =>
        {
            byte[] bytes = new byte[count];
            stream.Position = offset;
            stream.ReadExactly(bytes);
            return bytes;
        });
        using var document = JsonDocument.Parse(header.Metadata[PackedFormat.MetadataKey]);
        var description = document.RootElement.GetProperty("tensors").GetProperty(TensorName).Clone();
        if (description.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException("its description is no object");
        }

        return JsonSerializer.Deserialize<double[]>(header.Metadata[ErrorKey]) is { Length: 2 } error && error[0] >= 0 && error[1] >= 0
            ? new LayerEntry(path, description, new ErrorSums(error[0], error[1]), WarningsOf(header), header.Entries)
            : throw new InvalidDataException("it has no error sums");
    }

    private static IReadOnlyList<EncodingWarning> WarningsOf(SafetensorsHeader header) => header.Metadata.TryGetValue(WarningsKey, out string? json)
        ? [.. JsonSerializer.Deserialize<string[][]>(json)!.Select(pair => pair is { Length: 2 } ? new EncodingWarning(pair[0], pair[1]) : throw new InvalidDataException("its warnings are none"))]
        : [];

    private static void CopyBytes(FileStream input, long length, Action<ReadOnlySpan<byte>> take)
    {
        byte[] buffer = new byte[(int)Math.Min(length, BufferBytes)];
        for (long done = 0; done < length;)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done));
            input.ReadExactly(chunk);
            take(chunk);
            done += chunk.Length;
        }
    }

    private string? Text(string property) =>
        Description.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private StoredArray Stored(TensorEntry array, string name)
    {
        string own = PackedFormat.PartName(TensorName, string.Empty);
        string full = array.Name.StartsWith(own, StringComparison.Ordinal)
            ? PackedFormat.PartName(name, array.Name[own.Length..])
            : array.Name;
        return new StoredArray(full, array.DType, array.Shape, array.ByteLength, output => Reading(input =>
        {
            input.Position = array.Offset;
            CopyBytes(input, array.ByteLength, output.Write);
        }));
    }

    private void Reading(Action<FileStream> read)
    {
        FileStream input;
        try
        {
            input = Open(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EntryGoneException(path, exception);
        }

        using (input)
        {
            read(input);
        }
    }
}
