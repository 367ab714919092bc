using System;
using System.Collections.Generic;
using System.Text;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch;

/// <summary>An entry of a zip archive that is stored uncompressed.</summary>
/// <param name="Offset">Where its bytes begin in the file.</param>
/// <param name="Length">Its bytes.</param>
internal readonly record struct ZipEntry(long Offset, long Length);

/// <summary>
/// Finds the entries of a zip archive (PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5) in place. Nothing is unpacked: PyTorch stores its entries as they are, and
/// compressed ones are refused, whatever size they claim. Names of entries are never used as paths.
/// </summary>
internal sealed class ZipDirectory
{
    private const uint LocalSignature = 0x04034b50;
    private const uint CentralSignature = 0x02014b50;
    private const uint End64Signature = 0x06064b50;
    private const uint Locator64Signature = 0x07064b50;
    private const int EndBytes = 22;
    private const int MaxEntries = 2 * TensorList.MaxTensors;

    private readonly HeaderReader file;
    private readonly Dictionary<string, Central> entries = new(StringComparer.Ordinal);

    /// <summary>Reads the directory, which stands at the end of the file.</summary>
    /// <exception cref="ModelFormatException">It is malformed.</exception>
    public ZipDirectory(HeaderReader file)
    {
        this.file = file;
        var (count, offset) = ReadEnd();
        if (count > MaxEntries || offset > file.Length || count > (file.Length - offset) / 46)
        {
            throw file.Bad($"its zip directory says {(ulong)count} entries from byte {(ulong)offset}, but the file has {file.Length} bytes");
        }

        file.Position = offset;
        for (long i = 0; i < count; i++)
        {
            ReadCentral();
        }
    }

    /// <summary>The names of all entries.</summary>
    public IEnumerable<string> Names => entries.Keys;

    /// <summary>Where the bytes of an entry lie.</summary>
    /// <exception cref="ModelFormatException">There is none of that name, it is compressed or encrypted, or is not in the file.</exception>
    public ZipEntry Find(string name)
    {
        if (!entries.TryGetValue(name, out var entry))
        {
            throw file.Bad($"its zip archive has no entry {Quote.Name(name)}: truncated or edited?");
        }

        if (entry.Method != 0 || entry.Encrypted || entry.Packed != entry.Size)
        {
            throw file.Bad(
                $"the entry {Quote.Name(name)} of its zip archive is {(entry.Encrypted ? "encrypted" : "compressed")}; PyTorch stores entries as they are, "
                + "and no other archive is read: save the model again with torch.save");
        }

        file.Position = entry.Local;
        if (file.UInt32("the head of a zip entry") != LocalSignature)
        {
            throw file.Bad($"the entry {Quote.Name(name)} of its zip archive is not where the directory says, at byte {entry.Local}");
        }

        file.Skip(22, "the head of a zip entry");
        int nameLength = UInt16("the head of a zip entry"), extra = UInt16("the head of a zip entry");
        file.Skip(nameLength + extra, "the head of a zip entry");
        return entry.Size <= file.Length - file.Position
            ? new(file.Position, entry.Size)
            : throw file.Bad($"the entry {Quote.Name(name)} of its zip archive has {entry.Size} bytes from byte {file.Position}, but the file has {file.Length}: truncated?");
    }

    // A comment may follow; PyTorch writes none.
    private (long Count, long Offset) ReadEnd()
    {
        const string What = "the zip directory";
        int tail = (int)Math.Min(file.Length, HeaderReader.MaxNameBytes);
        file.Position = file.Length - tail;
        int index = file.Take(tail, What).LastIndexOf("PK\u0005\u0006"u8);
        if (index < 0 || tail - index < EndBytes)
        {
            throw file.Bad("it begins as a zip archive but has no zip directory at its end: truncated?");
        }

        long at = file.Length - tail + index;
        file.Position = at + 10;
        long count = UInt16(What);
        file.Skip(4, What);
        long offset = file.UInt32(What);
        return UInt16(What) == file.Length - at - EndBytes && ReadEnd64(at, count, offset) is { } found
            ? found
            : throw file.Bad($"what follows its zip directory is not what the directory says, or the directory is malformed, near byte {at}");
    }

    private (long Count, long Offset)? ReadEnd64(long end, long count, long offset)
    {
        if (count != ushort.MaxValue && offset != uint.MaxValue)
        {
            return (count, offset);
        }

        file.Position = Math.Max(0, end - 20);
        if (file.UInt32("the zip directory") != Locator64Signature)
        {
            return count == ushort.MaxValue && offset != uint.MaxValue ? (count, offset) : null;
        }

        file.Skip(4, "the zip directory");
        long at = file.Count("the zip directory");
        if (at > end)
        {
            return null;
        }

        file.Position = at;
        if (file.UInt32("the zip directory") != End64Signature)
        {
            return null;
        }

        file.Skip(28, "the zip directory");
        count = file.Count("the zip directory");
        file.Skip(8, "the zip directory");
        return (count, file.Count("the zip directory"));
    }

    private void ReadCentral()
    {
        const string What = "the zip directory";
        if (file.UInt32(What) != CentralSignature)
        {
            throw file.Bad($"its zip directory is malformed at byte {file.Position - 4}");
        }

        file.Skip(4, What);
        int flags = UInt16(What), method = UInt16(What);
        file.Skip(8, What);
        long packed = file.UInt32(What), size = file.UInt32(What);
        int nameLength = UInt16(What), extraLength = UInt16(What), commentLength = UInt16(What);
        file.Skip(8, What);
        long local = file.UInt32(What);
        string name = file.Text(nameLength, "the name of a zip entry");
        long extraEnd = file.Position + extraLength;
        while (extraEnd - file.Position >= 4)
        {
            int id = UInt16(What), length = UInt16(What);
            long next = Math.Min(file.Position + length, extraEnd);
            if (id == 1)
            {
                size = Wide(size, next);
                packed = Wide(packed, next);
                local = Wide(local, next);
            }

            file.Position = next;
        }

        file.Position = extraEnd;
        file.Skip(commentLength, What);
        string[] parts = name.Split('/', '\\');
        if (parts[0].Length == 0 || Array.IndexOf(parts, "..") >= 0)
        {
            throw file.Bad($"its zip archive has the entry {Quote.Name(name)}, which leads outside of it; PyTorch writes no such name");
        }

        if (entries.ContainsKey(name))
        {
            throw file.Bad($"its zip archive has the entry {Quote.Name(name)} twice");
        }

        entries.Add(name, new(method, (flags & 1) != 0, packed, size, local));
    }

    // The wide form of a number that did not fit in 32 bits.
    private long Wide(long value, long end) => value == uint.MaxValue && end - file.Position >= 8 ? file.Count("the zip directory") : value;

    private int UInt16(string what) => file.Byte(what) | (file.Byte(what) << 8);

    private readonly record struct Central(int Method, bool Encrypted, long Packed, long Size, long Local);
}
