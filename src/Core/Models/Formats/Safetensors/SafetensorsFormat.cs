using System;
using System.IO;

namespace Compress.Core.Models.Formats.Safetensors;

/// <summary>Models in safetensors: one file, a sharded set with its index, or a Hugging Face folder with either.</summary>
public sealed class SafetensorsFormat : IModelFormat
{
    private const string Extension = ".safetensors";
    private const string IndexExtension = ".safetensors.index.json";

    /// <inheritdoc/>
    public string Name => "safetensors";

    /// <inheritdoc/>
    public string Looks => "*.safetensors, *.safetensors.index.json, or a folder with model.safetensors or model.safetensors.index.json";

    /// <inheritdoc/>
    public string[] Extensions => [IndexExtension, Extension];

    /// <inheritdoc/>
    public bool Recognizes(string path) => Entrance(path) is not null;

    /// <inheritdoc/>
    public ModelHeader ReadHeader(string path)
    {
        string file = Entrance(path) ?? throw new ModelFormatException(path, "is no safetensors model");
        return EndsWith(file, IndexExtension) ? ShardedModel.ReadHeader(file, ShardReader.Read) : ShardReader.ReadHeader(file);
    }

    // The file to begin with. Of a folder that has both, the single file, as Hugging Face's own loaders do.
    private static string? Entrance(string path)
    {
        if (File.Exists(path))
        {
            return EndsWith(path, Extension) || EndsWith(path, IndexExtension) ? path : null;
        }

        string single = Path.Combine(path, "model" + Extension);
        string index = Path.Combine(path, "model" + IndexExtension);
        return File.Exists(single) ? single : File.Exists(index) ? index : null;
    }

    private static bool EndsWith(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}
