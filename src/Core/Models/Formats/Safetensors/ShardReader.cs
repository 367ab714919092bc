using System;
using System.Collections.Generic;
using System.IO;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.Safetensors;

/// <summary>Reads the header of one .safetensors file, and not a byte of its weights.</summary>
internal static class ShardReader
{
    /// <summary>The header of a model that is one file.</summary>
    public static ModelHeader ReadHeader(string path)
    {
        var tensors = Read(path);
        tensors.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new ModelHeader(tensors, [path]);
    }

    /// <summary>The tensors of a file, in the order of their data.</summary>
    /// <exception cref="ModelFormatException">The file is malformed.</exception>
    public static List<ModelTensor> Read(string path)
    {
        using var stream = OpenShared(path);
        SafetensorsHeader header;
        try
        {
            header = SafetensorsHeader.Read(stream.Length, (offset, count) => ReadExactly(stream, offset, count));
        }
        catch (SafetensorsException exception)
        {
            throw new ModelFormatException(path, exception.Message, exception);
        }

        var tensors = new List<ModelTensor>(header.Entries.Count);
        foreach (var entry in header.Entries)
        {
            tensors.Add(new(entry.Name, entry.DType, entry.Shape, path, entry.Offset, entry.ByteLength));
        }

        return tensors;
    }

    /// <summary>Opens a file to read, shared for everything: reading a header must not stop anyone from replacing the file.</summary>
    public static FileStream OpenShared(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Reads so many bytes from a place in a file.</summary>
    /// <exception cref="EndOfStreamException">The file has become shorter.</exception>
    public static byte[] ReadExactly(Stream stream, long offset, int count)
    {
        stream.Position = offset;
        byte[] bytes = new byte[count];
        for (int done = 0; done < count;)
        {
            int got = stream.Read(bytes, done, count - done);
            done += got > 0 ? got : throw new EndOfStreamException("it became shorter while it was read");
        }

        return bytes;
    }
}
