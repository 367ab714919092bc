using System;
using System.Collections.Generic;
using System.IO;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats;

/// <summary>A model in several files, held together by an index. Index and files must agree on every tensor.</summary>
internal static class ShardedModel
{
    /// <summary>The header of all shards together.</summary>
    /// <param name="indexPath">The absolute path of the index.</param>
    /// <param name="read">The tensors of one shard.</param>
    /// <exception cref="ModelFormatException">The index or a shard is malformed, or they do not agree.</exception>
    public static ModelHeader ReadHeader(string indexPath, Func<string, IReadOnlyList<ModelTensor>> read)
    {
        var index = ShardIndex.Read(indexPath);
        var names = new List<string>(new HashSet<string>(index.Values, StringComparer.Ordinal));
        names.Sort(StringComparer.Ordinal);

        var tensors = new List<ModelTensor>(index.Count);
        var files = new List<string> { indexPath };
        foreach (string name in names)
        {
            string shard = Path.Combine(Path.GetDirectoryName(indexPath)!, name);
            files.Add(shard);
            tensors.AddRange(ReadShard(indexPath, index, name, shard, read));
        }

        if (tensors.Count < index.Count)
        {
            ThrowMissing(indexPath, index, tensors);
        }

        tensors.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new ModelHeader(tensors, files);
    }

    private static IReadOnlyList<ModelTensor> ReadShard(
        string indexPath, Dictionary<string, string> index, string name, string shard, Func<string, IReadOnlyList<ModelTensor>> read)
    {
        if (!File.Exists(shard))
        {
            throw new ModelFormatException(indexPath, $"its shard {Quote.Name(name)} is not there: is the download complete?");
        }

        var tensors = read(shard);
        foreach (var tensor in tensors)
        {
            if (!index.TryGetValue(tensor.Name, out string? expected))
            {
                throw new ModelFormatException(
                    indexPath, $"shard {Quote.Name(name)} holds tensor {Quote.Name(tensor.Name)}, which the 'weight_map' does not have");
            }

            if (expected != name)
            {
                throw new ModelFormatException(
                    indexPath, $"shard {Quote.Name(name)} holds tensor {Quote.Name(tensor.Name)}, which the 'weight_map' places in {Quote.Name(expected)}");
            }
        }

        return tensors;
    }

    private static void ThrowMissing(string indexPath, Dictionary<string, string> index, List<ModelTensor> tensors)
    {
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            present.Add(tensor.Name);
        }

        foreach (var pair in index)
        {
            if (!present.Contains(pair.Key))
            {
                throw new ModelFormatException(
                    indexPath, $"its 'weight_map' places tensor {Quote.Name(pair.Key)} in {Quote.Name(pair.Value)}, which does not hold it");
            }
        }
    }
}
