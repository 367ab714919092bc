using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Compress.Runtime.Safetensors;

/// <summary>Gives so many bytes of a file from an offset. Is never asked for more than the file has.</summary>
/// <param name="offset">Bytes from the start of the file.</param>
/// <param name="count">How many.</param>
public delegate ReadOnlySpan<byte> FileBytes(long offset, int count);

/// <summary>
/// The header of a safetensors file: what tensors it holds and where. A file is eight bytes (the header's length N,
/// little-endian), N bytes of JSON, and the tensors' bytes, one after the other without holes.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The longest header that is read, in bytes; the format's own limit.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private const int LengthBytes = 8;

    private readonly Dictionary<string, TensorEntry> byName;

    private readonly HeaderMetadata metadata;

    private SafetensorsHeader(HeaderParser parsed, long dataOffset)
    {
        Entries = parsed.Entries;
        byName = ByName(parsed.Entries);
        metadata = parsed.Metadata;
        DataOffset = dataOffset;
    }

    /// <summary>The tensors in the order of their data; those without any stand where they would lie, by name.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>The <c>__metadata__</c> entries.</summary>
    public IReadOnlyDictionary<string, string> Metadata => metadata;

    /// <summary>Bytes before the first tensor's data.</summary>
    public long DataOffset { get; }

    /// <summary>Reads and checks a header. Takes memory of a small multiple of the header's length at most.</summary>
    /// <param name="fileLength">The length of the whole file, in bytes.</param>
    /// <param name="read">Reads from the file.</param>
    /// <exception cref="SafetensorsException">The file is not a well-formed safetensors file.</exception>
    public static SafetensorsHeader Read(long fileLength, FileBytes read)
    {
        if (fileLength < LengthBytes)
        {
            throw new SafetensorsException(
                $"the file has {fileLength} bytes; a safetensors file begins with the {LengthBytes} bytes of its header's length");
        }

        ulong stated = BinaryPrimitives.ReadUInt64LittleEndian(read(0, LengthBytes));
        if (stated == 0)
        {
            throw new SafetensorsException("its first 8 bytes state a header of 0 bytes; the least header is '{}'");
        }

        if (stated > MaxHeaderBytes)
        {
            throw new SafetensorsException(
                $"its first 8 bytes state a header of {stated} bytes; the format allows {MaxHeaderBytes}: is it a safetensors file?");
        }

        if (stated > (ulong)(fileLength - LengthBytes))
        {
            throw new SafetensorsException(
                $"its first 8 bytes state a header of {stated} bytes, but only {fileLength - LengthBytes} follow: truncated, or no safetensors file");
        }

        var json = read(LengthBytes, (int)stated);
        if (json[0] != (byte)'{')
        {
            throw new SafetensorsException($"its header begins with the byte 0x{json[0]:X2}, expected 0x7B, '{{': is it a safetensors file?");
        }

        long dataOffset = LengthBytes + (long)stated;
        var parsed = new HeaderParser(new EntryBounds(dataOffset, fileLength));
        parsed.Parse(json);
        var header = new SafetensorsHeader(parsed, dataOffset);
        DataLayout.Check(parsed.Entries, dataOffset, fileLength);
        return header;
    }

    /// <summary>The tensor of that name, or null.</summary>
    public TensorEntry? Find(string name) => byName.TryGetValue(name, out var entry) ? entry : null;

    /// <summary>The value of a <c>__metadata__</c> entry in UTF-8, or null: spares its string.</summary>
    internal byte[]? MetadataUtf8(string key) => metadata.Utf8(key);

    private static Dictionary<string, TensorEntry> ByName(List<TensorEntry> entries)
    {
        var byName = new Dictionary<string, TensorEntry>(entries.Count, StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            int before = byName.Count;
            byName[entry.Name] = entry;
            if (byName.Count == before)
            {
                throw new SafetensorsException($"the name {Quote.Name(entry.Name)} stands twice in its header");
            }
        }

        return byName;
    }
}
