using System;
using System.Collections.Generic;
using System.Linq;
using Compress.Core.Models.Formats.PyTorch.Pickle;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.PyTorch;

/// <summary>A zip archive of torch.save: <c>NAME/data.pkl</c> describes the tensors, and <c>NAME/data/KEY</c> are their storages, which are read in place.</summary>
internal static class ArchiveFile
{
    private const string PickleName = "data.pkl";

    /// <param name="reader">The file.</param>
    /// <param name="stateDict">The name of the dictionary that is the model; null if none is named.</param>
    /// <exception cref="ModelFormatException">The file is malformed.</exception>
    public static List<ModelTensor> Read(HeaderReader reader, string? stateDict)
    {
        var directory = new ZipDirectory(reader);
        string root = Root(reader, directory);
        if (directory.Names.Contains(root + "byteorder"))
        {
            var order = directory.Find(root + "byteorder");
            reader.Position = order.Offset;
            string text = reader.Text(order.Length, "its byte order");
            if (text.Trim() != "little")
            {
                throw reader.Bad($"its byte order is {Quote.Name(text)}; expected 'little': save it on another machine");
            }
        }

        var pickle = directory.Find(root + PickleName);
        reader.Position = pickle.Offset;
        reader.End = pickle.Offset + pickle.Length;
        object? content = PickleReader.Read(reader);
        reader.End = reader.Length;

        var list = new TensorList(reader.File);
        var storages = new Dictionary<string, ZipEntry>(StringComparer.Ordinal);
        foreach (var pair in StateDictionary.Find(reader.File, content, stateDict))
        {
            string key = pair.Value.Storage.Key;
            if (!storages.TryGetValue(key, out var entry))
            {
                storages.Add(key, entry = directory.Find(root + "data/" + key));
            }

            list.Add(StoredTensor.Of(reader.File, pair.Key, pair.Value, entry.Offset, entry.Length), reader.Length);
        }

        return list.Sorted();
    }

    private static string Root(HeaderReader reader, ZipDirectory directory)
    {
        string[] pickles = [.. directory.Names.Where(name => name == PickleName || name.EndsWith("/" + PickleName, StringComparison.Ordinal))];
        if (pickles.Length != 1)
        {
            throw reader.Bad($"its zip archive has {pickles.Length} entries {PickleName}; files of torch.save have one");
        }

        string root = pickles[0].Substring(0, pickles[0].Length - PickleName.Length);
        return directory.Names.Contains(root + "constants.pkl")
            ? throw reader.Bad("it is a TorchScript program, not saved weights; load it with torch.jit.load and save its state_dict()")
            : root;
    }
}
