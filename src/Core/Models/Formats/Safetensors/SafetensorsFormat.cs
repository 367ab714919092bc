using System;
using System.Collections.Generic;
using System.IO;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats.Safetensors;

/// <summary>One .safetensors file.</summary>
public sealed class SafetensorsFormat : IModelFormat
{
    /// <inheritdoc/>
    public string Name => "safetensors";

    /// <inheritdoc/>
    public string Looks => "*.safetensors";

    /// <inheritdoc/>
    public bool Recognizes(string path) => path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) && File.Exists(path);

    /// <inheritdoc/>
    public ModelHeader ReadHeader(string path)
    {
        var tensors = new List<ModelTensor>();
        foreach (var entry in ShardReader.Read(path).Entries)
        {
            tensors.Add(new(entry.Name, entry.DType, entry.Shape, path, entry.Offset, entry.ByteLength));
        }

        tensors.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new ModelHeader(tensors, [path]);
    }
}
