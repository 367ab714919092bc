using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Compress.Runtime.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime;

/// <summary>
/// A packed model: named tensors in a safetensors file. An ordinary safetensors file opens as well; its tensors are all kept as they are.
/// Opening reads the header only; a tensor's pages are read when it is used.
/// </summary>
public sealed class PackedModel : IDisposable
{
    private readonly MappedBytes memory;
    private readonly PackedDescriptions descriptions;
    private readonly SafetensorsHeader header;
    private readonly ConcurrentDictionary<string, PackedTensor> tensors = new(StringComparer.Ordinal);
    private string[]? names;

    private PackedModel(MappedBytes memory)
    {
        this.memory = memory;
        header = SafetensorsHeader.Read(memory.Length, memory.Span);
        byte[]? json = header.MetadataUtf8(PackedFormat.MetadataKey);
        IsPacked = json is not null;
        descriptions = json is null ? new PackedDescriptions() : new PackedDescriptions(json);
    }

    /// <summary>The names of all tensors, in ordinal order.</summary>
    public IReadOnlyCollection<string> Names => names ??= AllNames();

    /// <summary>The file's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => header.Metadata;

    /// <summary>The size of the file in bytes, header included.</summary>
    public long PackedBytes => memory.Length;

    /// <summary>True if the file was written by Compress.Tasks; false for an ordinary safetensors file.</summary>
    public bool IsPacked { get; }

    /// <summary>The arrays of the file as stored, in the order of their data.</summary>
    internal IReadOnlyCollection<TensorEntry> Entries => header.Entries;

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">Its description and its stored arrays do not fit.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public PackedTensor this[string name] =>
        TryGet(name, out var tensor) ? tensor : throw new KeyNotFoundException($"The model has no tensor '{name}'.");

    /// <summary>Maps a file.</summary>
    /// <exception cref="SafetensorsException">It is not a well-formed safetensors file.</exception>
    /// <exception cref="InvalidDataException">It is one, but its description of packed tensors is not of this version or not well-formed.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static PackedModel OpenFile(string path) => Open(MappedBytes.OpenFile(path));

    /// <summary>Uses an embedded resource in place.</summary>
    /// <exception cref="FileNotFoundException">The assembly has no such resource.</exception>
    /// <exception cref="SafetensorsException">It is not a well-formed safetensors file.</exception>
    /// <exception cref="InvalidDataException">Its description of packed tensors is not of this version or not well-formed.</exception>
    public static PackedModel OpenResource(Assembly assembly, string name)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        return Open(MappedBytes.OpenResource(assembly, name)
            ?? throw new FileNotFoundException($"Assembly '{assembly.GetName().Name}' has no resource '{name}'."));
    }

    /// <summary>Opens a packed model held in an array, which must not change while the model is in use.</summary>
    /// <exception cref="SafetensorsException">It is not a well-formed safetensors file.</exception>
    /// <exception cref="InvalidDataException">Its description of packed tensors is not of this version or not well-formed.</exception>
    public static PackedModel FromBytes(byte[] bytes) => Open(MappedBytes.FromArray(bytes));

    /// <summary>True if there is a tensor of that name. Opens nothing.</summary>
    public bool Contains(string name) => descriptions.Contains(name) || IsKeptAsIs(name);

    /// <summary>The tensor of that name, if there is one.</summary>
    /// <exception cref="InvalidDataException">Its description and its stored arrays do not fit.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public bool TryGet(string name, [NotNullWhen(true)] out PackedTensor? tensor)
    {
        ObjectDisposedException.ThrowIf(memory.IsDisposed, this);
        if (tensors.TryGetValue(name, out tensor))
        {
            return true;
        }

        if (descriptions.Find(name) is { } description)
        {
            tensor = tensors.GetOrAdd(name, OpenDescribed(name, description));
            return true;
        }

        if (IsKeptAsIs(name) && header.Find(name) is { } entry)
        {
            tensor = tensors.GetOrAdd(name, DecoderTable.Open("keep", new(name, entry.DType, entry.Shape, default, Find, _ => 0)));
            return true;
        }

        return false;
    }

    /// <summary>Unmaps the file. No tensor of the model may be in use or used afterwards.</summary>
    public void Dispose() => memory.Dispose();

    private static PackedModel Open(MappedBytes memory)
    {
        try
        {
            return new PackedModel(memory);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    // An array of another codec than keep under the tensor's own name would be one that nobody reads.
    private PackedTensor OpenDescribed(string name, TensorDescription description)
    {
        if (description.Codec != "keep" && header.Find(name) is not null)
        {
            throw new InvalidDataException($"packed tensor {Quote.Name(name)}: it is described as '{description.Codec}', but also stored as it is");
        }

        return DecoderTable.Open(description.Codec, new(
            name, description.DType, description.Shape, description.Parameters, Find, table => SharedBits(name, description, table)));
    }

    private double SharedBits(string name, TensorDescription description, string array)
    {
        string table = array[PackedFormat.Separator.Length..];
        if (!description.Shared.Contains(table))
        {
            throw new InvalidDataException($"packed tensor {Quote.Name(name)}: it uses the table '{table}', which its 'shared' does not name");
        }

        double weights = descriptions.WeightsSharing(table);
        return weights > 0 ? 8.0 * header.Find(array)!.ByteLength / weights : 0;
    }

    // In a packed file, names with the separator are parts of tensors; in any other they are names like others.
    private bool IsKeptAsIs(string name) =>
        header.Find(name) is not null && !(IsPacked && name.Contains(PackedFormat.Separator, StringComparison.Ordinal));

    private string[] AllNames()
    {
        string[] all = [.. header.Entries.Select(entry => entry.Name).Where(IsKeptAsIs).Union(descriptions.Names)];
        Array.Sort(all, StringComparer.Ordinal);
        return all;
    }

    private (TensorEntry Entry, ByteView View)? Find(string name) =>
        header.Find(name) is { } entry ? (entry, new ByteView(memory, entry.Offset, entry.ByteLength)) : null;
}
