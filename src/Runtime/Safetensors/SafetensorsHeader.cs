using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Compress.Runtime.Safetensors;

/// <summary>
/// The header of a safetensors file: what tensors it holds and where. A file is eight bytes (the header's length N,
/// little-endian), N bytes of JSON, and the tensors' bytes, one after the other without holes.
/// </summary>
public sealed class SafetensorsHeader
{
    /// <summary>The longest header that is read, in bytes; the format's own limit.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private const int LengthBytes = 8;

    private SafetensorsHeader(IReadOnlyList<TensorEntry> entries, IReadOnlyDictionary<string, string> metadata, long dataOffset)
    {
        Entries = entries;
        Metadata = metadata;
        DataOffset = dataOffset;
    }

    /// <summary>The tensors in the order of their data; those without any stand where they would lie, by name.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>The <c>__metadata__</c> entries.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Bytes before the first tensor's data.</summary>
    public long DataOffset { get; }

    /// <summary>Reads and checks a header. Takes memory of a small multiple of the header's length at most.</summary>
    /// <param name="fileLength">The length of the whole file, in bytes.</param>
    /// <param name="read">Reads so many bytes from an offset; never asked for more than the file has.</param>
    /// <exception cref="SafetensorsException">The file is not a well-formed safetensors file.</exception>
    public static SafetensorsHeader Read(long fileLength, Func<long, int, byte[]> read)
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

        byte[] json = read(LengthBytes, (int)stated);
        if (json[0] != (byte)'{')
        {
            throw new SafetensorsException($"its header begins with the byte 0x{json[0]:X2}, expected 0x7B, '{{': is it a safetensors file?");
        }

        long dataOffset = LengthBytes + (long)stated;
        var (entries, metadata) = new HeaderParser(dataOffset, fileLength).Parse(json);
        DataLayout.Check(entries, dataOffset, fileLength);
        return new SafetensorsHeader(entries, metadata, dataOffset);
    }
}
