using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
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
    private readonly Dictionary<string, TensorEntry> entries;
    private readonly SortedDictionary<string, JsonElement?> descriptions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> sharedBitsPerWeight = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PackedTensor> tensors = new(StringComparer.Ordinal);

    private PackedModel(MappedBytes memory)
    {
        this.memory = memory;
        var header = SafetensorsHeader.Read(memory.Length, (offset, count) => memory.Span(offset, count).ToArray());
        entries = new(header.Entries.Count, StringComparer.Ordinal);
        foreach (var entry in header.Entries)
        {
            entries.Add(entry.Name, entry);
        }

        Metadata = header.Metadata;
        Describe(header);
    }

    /// <summary>The names of all tensors, in ordinal order.</summary>
    public IReadOnlyCollection<string> Names => descriptions.Keys;

    /// <summary>The file's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The size of the file in bytes, header included.</summary>
    public long PackedBytes => memory.Length;

    /// <summary>The arrays of the file as stored, in the header's order.</summary>
    internal IReadOnlyCollection<TensorEntry> Entries => entries.Values;

    /// <summary>The tensor of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">Its description and its stored arrays do not fit.</exception>
    public PackedTensor this[string name] =>
        TryGet(name, out var tensor) ? tensor : throw new KeyNotFoundException($"The model has no tensor '{name}'.");

    /// <summary>Maps a file.</summary>
    /// <exception cref="SafetensorsException">It is not a well-formed safetensors file.</exception>
    /// <exception cref="InvalidDataException">It is one, but its description of packed tensors is not of this version or not well-formed.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
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
    public bool Contains(string name) => descriptions.ContainsKey(name);

    /// <summary>The tensor of that name, if there is one.</summary>
    /// <exception cref="InvalidDataException">Its description and its stored arrays do not fit.</exception>
    public bool TryGet(string name, [NotNullWhen(true)] out PackedTensor? tensor)
    {
        if (tensors.TryGetValue(name, out tensor))
        {
            return true;
        }

        if (!descriptions.TryGetValue(name, out var description))
        {
            return false;
        }

        tensor = tensors.GetOrAdd(name, Open(name, description));
        return true;
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

    private static (DType DType, long[] Shape) SourceForm(string name, JsonElement description)
    {
        if (!description.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !DTypes.TryParse(dtype.GetString(), out var type))
        {
            throw new InvalidDataException($"packed tensor '{name}': its description has no valid 'dtype'");
        }

        if (!description.TryGetProperty("shape", out var shape) || shape.ValueKind != JsonValueKind.Array
            || shape.EnumerateArray().Any(d => d.ValueKind != JsonValueKind.Number || !d.TryGetInt64(out long value) || value < 0))
        {
            throw new InvalidDataException($"packed tensor '{name}': its description has no valid 'shape'");
        }

        return (type, [.. shape.EnumerateArray().Select(d => d.GetInt64())]);
    }

    private static double Product(long[] shape) => shape.Aggregate(1.0, (product, dimension) => product * dimension);

    private void Describe(SafetensorsHeader header)
    {
        if (header.Metadata.TryGetValue(PackedFormat.MetadataKey, out string? text))
        {
            JsonElement root;
            try
            {
                using var document = JsonDocument.Parse(text);
                root = document.RootElement.Clone();
            }
            catch (JsonException exception)
            {
                throw new InvalidDataException($"the metadata '{PackedFormat.MetadataKey}' is not JSON: {exception.Message}", exception);
            }

            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("version", out var version)
                || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int number) || number != PackedFormat.Version)
            {
                throw new InvalidDataException(
                    $"the packed model is not of container version {PackedFormat.Version}; use the Compress.Runtime of the version that packed it");
            }

            if (root.TryGetProperty("tensors", out var described) && described.ValueKind == JsonValueKind.Object)
            {
                DescribePacked(described);
            }
        }

        foreach (var entry in header.Entries)
        {
            if (!entry.Name.Contains("::", StringComparison.Ordinal) || !header.Metadata.ContainsKey(PackedFormat.MetadataKey))
            {
                descriptions.TryAdd(entry.Name, null);
            }
        }
    }

    private void DescribePacked(JsonElement described)
    {
        var users = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var tensor in described.EnumerateObject())
        {
            if (tensor.Value.ValueKind != JsonValueKind.Object)
            {
                throw new InvalidDataException($"packed tensor '{tensor.Name}': its description is not an object");
            }

            descriptions[tensor.Name] = tensor.Value;
            if (tensor.Value.TryGetProperty("shared", out var shared) && shared.ValueKind == JsonValueKind.Array)
            {
                double count = Product(SourceForm(tensor.Name, tensor.Value).Shape);
                foreach (var table in shared.EnumerateArray().Where(t => t.ValueKind == JsonValueKind.String))
                {
                    string full = PackedFormat.SharedName(table.GetString()!);
                    users[full] = users.GetValueOrDefault(full) + count;
                }
            }
        }

        foreach (var (table, count) in users)
        {
            if (entries.TryGetValue(table, out var entry) && count > 0)
            {
                sharedBitsPerWeight[table] = 8.0 * entry.ByteLength / count;
            }
        }
    }

    private PackedTensor Open(string name, JsonElement? description)
    {
        if (description is not { } value)
        {
            var entry = entries[name];
            return DecoderTable.Open("keep", Parts(name, entry.DType, entry.Shape, default));
        }

        var (dtype, shape) = SourceForm(name, value);
        string codec = value.TryGetProperty("codec", out var property) && property.ValueKind == JsonValueKind.String
            ? property.GetString()!
            : throw new InvalidDataException($"packed tensor '{name}': its description has no 'codec'");
        return DecoderTable.Open(codec, Parts(name, dtype, shape, value));
    }

    private PackedParts Parts(string name, DType dtype, IReadOnlyList<long> shape, JsonElement parameters) =>
        new(name, dtype, shape, parameters, Find, table => sharedBitsPerWeight.GetValueOrDefault(table));

    private (TensorEntry Entry, ByteView View)? Find(string name) =>
        entries.TryGetValue(name, out var entry) ? (entry, new ByteView(memory, entry.Offset, entry.ByteLength)) : null;
}
