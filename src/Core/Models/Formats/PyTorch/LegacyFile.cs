using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using Compress.Core.Models.Formats.PyTorch.Pickle;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch;

/// <summary>
/// A file of torch.save before PyTorch 1.6: pickles of a magic number, the protocol, the system, the content and the keys of the storages; then each storage, in the
/// order of the keys, as its number of elements and the elements.
/// </summary>
internal static class LegacyFile
{
    private const long Protocol = 1001;

    /// <param name="reader">The file.</param>
    /// <param name="stateDict">The name of the dictionary that is the model; null if none is named.</param>
    /// <exception cref="ModelFormatException">The file is malformed.</exception>
    public static List<ModelTensor> Read(HeaderReader reader, string? stateDict)
    {
        reader.Position = 0;
        if (PickleReader.Read(reader) is not BigInteger || PickleReader.Read(reader) is not Protocol)
        {
            throw reader.Bad($"it has another protocol than {Protocol}, which is the one of files of torch.save");
        }

        if (PickleReader.Read(reader) is not PickleDictionary system || !system.Items.Any(item => item is { Key: "little_endian", Value: true }))
        {
            throw reader.Bad("it does not say that its numbers are little-endian; save it on another machine");
        }

        object? content = PickleReader.Read(reader);
        if (PickleReader.Read(reader) is not PickleList { Items: var keys })
        {
            throw reader.Bad("it has no list of storages after its content: truncated?");
        }

        var tensors = StateDictionary.Find(reader.File, content, stateDict);
        var storages = ReadStorages(reader, keys, content);
        var list = new TensorList(reader.File);
        foreach (var pair in tensors)
        {
            var storage = storages.TryGetValue(pair.Value.Storage.Key, out var found)
                ? found
                : throw reader.Bad($"tensor {Quote.Name(pair.Key)} is in the storage {Quote.Name(pair.Value.Storage.Key)}, which the file does not have: truncated?");
            list.Add(StoredTensor.Of(reader.File, pair.Key, pair.Value, storage.Offset, storage.Length), reader.Length);
        }

        return list.Sorted();
    }

    private static Dictionary<string, ZipEntry> ReadStorages(HeaderReader reader, List<object?> keys, object? content)
    {
        var sizes = ElementSizes(content);
        var storages = new Dictionary<string, ZipEntry>(StringComparer.Ordinal);
        foreach (object? item in keys)
        {
            string key = item as string ?? throw reader.Bad("its list of storages has a key that is no text");
            string what = $"storage {Quote.Name(key)}";
            long count = reader.Count(what);
            if (!sizes.TryGetValue(key, out int size) || storages.ContainsKey(key))
            {
                throw reader.Bad($"{what} is listed twice, or its element type is not known because no tensor is in it");
            }

            if (count > (reader.Length - reader.Position) / size)
            {
                throw reader.Bad($"{what} says that it has {count} elements of {size} bytes, but the file has {reader.Length - reader.Position} bytes left: truncated?");
            }

            storages.Add(key, new(reader.Position, count * size));
            reader.Skip(count * size, what);
        }

        return reader.Position == reader.Length ? storages : throw reader.Bad($"{reader.Length - reader.Position} bytes follow its last storage");
    }

    // Of all storages, those of optimizers too: the file says no sizes in bytes, so each must be known to find the next.
    private static Dictionary<string, int> ElementSizes(object? content)
    {
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal);
        var seen = new HashSet<object>();
        var open = new Stack<object?>([content]);
        while (open.Count > 0)
        {
            object? value = open.Pop();
            if (((value as TensorReference)?.Storage ?? value as StorageReference) is { } storage)
            {
                sizes[storage.Key] = (storage.DType ?? DType.U8).SizeInBytes();
            }

            IEnumerable<object?> inner = value switch
            {
                PickleDictionary dictionary when seen.Add(dictionary) => dictionary.Items.Select(item => item.Value),
                PickleList list when seen.Add(list) => list.Items,
                PickleTuple tuple when seen.Add(tuple) => tuple.Items,
                _ => [],
            };
            foreach (object? item in inner)
            {
                open.Push(item);
            }
        }

        return sizes;
    }
}
