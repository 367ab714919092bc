using System.Globalization;
using System.Security.Cryptography;
using Compress.Runtime.Safetensors;
using Microsoft.Win32.SafeHandles;

namespace Compress.Cli.Inspection;

/// <summary>
/// The arrays of a packed file as they are stored. Decoders take for granted that floats which codecs store, such as scales, are neither
/// NaN nor infinity, and would read those as large numbers; so damage to them has to be looked for here.
/// </summary>
internal sealed class StoredArrays : IDisposable
{
    private const int ChunkBytes = 1 << 16;

    private readonly SafeFileHandle file;
    private readonly long dataOffset;
    private readonly ILookup<string, TensorEntry> arrays;

    /// <param name="path">A packed model that has been opened once: its header is well-formed.</param>
    public StoredArrays(string path)
    {
        file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        var header = SafetensorsHeader.Read(RandomAccess.GetLength(file), (offset, count) => Read(offset, count));
        dataOffset = header.DataOffset;
        arrays = header.Entries
            .Where(entry => entry.DType is DType.F32 or DType.F16 or DType.BF16 && entry.Name.Contains("::", StringComparison.Ordinal))
            .ToLookup(entry => entry.Name[..entry.Name.IndexOf("::", StringComparison.Ordinal)], StringComparer.Ordinal);
    }

    /// <summary>SHA-256 of all bytes that follow the header, in lower-case hexadecimal digits.</summary>
    public string Checksum()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = RandomAccess.GetLength(file);
        for (long offset = dataOffset; offset < length; offset += ChunkBytes)
        {
            hash.AppendData(Read(offset, (int)Math.Min(ChunkBytes, length - offset)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What is wrong with a tensor's arrays, or null.</summary>
    public string? Damage(string tensor)
    {
        foreach (var array in arrays[tensor])
        {
            for (long offset = 0; offset < array.ByteLength; offset += ChunkBytes)
            {
                byte[] chunk = Read(array.Offset + offset, (int)Math.Min(ChunkBytes, array.ByteLength - offset));
                int index = FirstNonFinite(chunk, array.DType);
                if (index >= 0)
                {
                    return string.Create(CultureInfo.InvariantCulture,
                        $"its array '{array.Name}' holds NaN or infinity at index {(offset / array.DType.SizeInBytes()) + index}");
                }
            }
        }

        return null;
    }

    public void Dispose() => file.Dispose();

    // An exponent of ones only. The exponent is in the last two bytes of all three types.
    private static int FirstNonFinite(byte[] chunk, DType type)
    {
        int size = type.SizeInBytes();
        int exponent = type == DType.F16 ? 0x7C00 : 0x7F80;
        for (int end = size; end <= chunk.Length; end += size)
        {
            if (((chunk[end - 2] | (chunk[end - 1] << 8)) & exponent) == exponent)
            {
                return (end / size) - 1;
            }
        }

        return -1;
    }

    private byte[] Read(long offset, int count)
    {
        byte[] bytes = new byte[count];
        for (int done = 0; done < count;)
        {
            int got = RandomAccess.Read(file, bytes.AsSpan(done), offset + done);
            done += got > 0 ? got : throw new EndOfStreamException("the packed model became shorter while it was read");
        }

        return bytes;
    }
}
