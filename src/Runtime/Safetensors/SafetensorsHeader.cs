using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;

namespace Compress.Runtime.Safetensors;

/// <summary>The header of a safetensors file: what tensors it holds and where.</summary>
public sealed class SafetensorsHeader
{
    /// <summary>The longest header that is read, in bytes; the format's own limit.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private SafetensorsHeader(IReadOnlyList<TensorEntry> entries, IReadOnlyDictionary<string, string> metadata, long dataOffset)
    {
        Entries = entries;
        Metadata = metadata;
        DataOffset = dataOffset;
    }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>The <c>__metadata__</c> entries.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Bytes before the first tensor's data.</summary>
    public long DataOffset { get; }

    /// <summary>Reads and checks a header.</summary>
    /// <param name="fileLength">The length of the whole file, in bytes.</param>
    /// <param name="read">Reads so many bytes from an offset; never asked for more than the file has.</param>
    /// <exception cref="SafetensorsException">The file is not a well-formed safetensors file.</exception>
    public static SafetensorsHeader Read(long fileLength, Func<long, int, byte[]> read) =>
        throw new SafetensorsException("not written yet");
}
