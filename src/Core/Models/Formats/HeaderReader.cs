using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats;

/// <summary>Reads numbers and texts from a part of a file. Whatever the file says, it reads and allocates no more than there is.</summary>
internal sealed class HeaderReader : IDisposable
{
    /// <summary>A name of a tensor or of a property is no longer, in bytes. No real one comes near.</summary>
    public const int MaxNameBytes = 1 << 16;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly FileStream stream;
    private readonly byte[] buffer = new byte[1 << 16];
    private long bufferStart;
    private int bufferLength;
    private long position;

    /// <summary>Opens a file, shared for everything: reading a header must not stop anyone from replacing the file.</summary>
    public HeaderReader(string file)
    {
        File = file;
        stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        Length = End = stream.Length;
    }

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>Bytes of the whole file.</summary>
    public long Length { get; }

    /// <summary>Where reading ends: the end of the file, unless it is set before.</summary>
    public long End { get; set; }

    /// <summary>Bytes from the start of the file.</summary>
    public long Position
    {
        get => position;
        set => position = value;
    }

    /// <summary>The exception that says what is wrong.</summary>
    public ModelFormatException Bad(string message, Exception? inner = null) => new(File, message, inner);

    /// <summary>The next byte.</summary>
    public byte Byte(string what) => Take(1, what)[0];

    /// <summary>The next four bytes as an integer.</summary>
    public int Int32(string what) => BinaryPrimitives.ReadInt32LittleEndian(Take(4, what));

    /// <summary>The next four bytes as an integer.</summary>
    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    /// <summary>The next eight bytes as an integer, which must not be negative.</summary>
    public long Count(string what)
    {
        long value = BinaryPrimitives.ReadInt64LittleEndian(Take(8, what));
        return value >= 0 ? value : throw Bad($"it says {(ulong)value} for {what} at byte {Position - 8}: that cannot be");
    }

    /// <summary>So many bytes, which must be no more than there are in the buffer: 65,536.</summary>
    public ReadOnlySpan<byte> Take(int count, string what)
    {
        if (count > End - position || position < 0)
        {
            throw Bad($"it ends at byte {End}, inside {what}: truncated?");
        }

        if (position < bufferStart || position + count > bufferStart + bufferLength)
        {
            Fill(count);
        }

        var bytes = buffer.AsSpan((int)(position - bufferStart), count);
        position += count;
        return bytes;
    }

    /// <summary>A text of so many bytes.</summary>
    public string Text(long count, string what)
    {
        if (count > End - position)
        {
            throw Bad($"it ends at byte {End}, inside {what} of {count} bytes: truncated?");
        }

        if (count > MaxNameBytes)
        {
            throw Bad($"{what} at byte {position} has {count} bytes; {MaxNameBytes} are allowed");
        }

        try
        {
            return Utf8.GetString(Take((int)count, what).ToArray());
        }
        catch (DecoderFallbackException exception)
        {
            throw Bad($"{what} before byte {position} is not valid UTF-8", exception);
        }
    }

    /// <summary>Passes over so many bytes.</summary>
    public void Skip(long count, string what)
    {
        if (count < 0 || count > End - position)
        {
            throw Bad($"{what} at byte {position} has {(ulong)count} bytes, but the file has {End - position} left: truncated?");
        }

        position += count;
    }

    /// <summary>The first bytes of the file, as many as there are.</summary>
    public byte[] Start(int count)
    {
        long before = position;
        position = 0;
        byte[] bytes = Take((int)Math.Min(count, Length), "its start").ToArray();
        position = before;
        return bytes;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => stream.Dispose();

    private void Fill(int atLeast)
    {
        stream.Position = bufferStart = position;
        bufferLength = 0;
        while (bufferLength < atLeast)
        {
            int got = stream.Read(buffer, bufferLength, (int)Math.Min(buffer.Length, Length - position) - bufferLength);
            bufferLength += got > 0 ? got : throw new EndOfStreamException("it became shorter while it was read");
        }
    }
}
