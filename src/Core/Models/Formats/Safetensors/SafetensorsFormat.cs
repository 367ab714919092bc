using static Compress.Core.Models.Formats.Entrance;

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

    private static string? Entrance(string path) =>
        Formats.Entrance.Of(path, "model" + Extension, "model" + IndexExtension) is { } file && (EndsWith(file, Extension) || EndsWith(file, IndexExtension)) ? file : null;
}
