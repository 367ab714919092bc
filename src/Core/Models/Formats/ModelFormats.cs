using System;
using System.Linq;
using Compress.Core.Models.Formats.Gguf;
using Compress.Core.Models.Formats.Llama2C;
using Compress.Core.Models.Formats.PyTorch;
using Compress.Core.Models.Formats.Safetensors;
using Compress.Core.Models.Formats.TorchSharp;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models.Formats;

/// <summary>The model formats that are read. Adding a format adds one row.</summary>
public static class ModelFormats
{
    /// <summary>All formats, in the order in which they are tried.</summary>
    public static readonly IModelFormat[] All = [new SafetensorsFormat(), new PyTorchFormat(), new TorchSharpFormat(), new GgufFormat(), new Llama2CFormat()];

    // Longest first, so that none is taken for a part of another.
    private static readonly string[] Extensions = [.. All.SelectMany(format => format.Extensions).OrderByDescending(extension => extension.Length)];

    /// <summary>The file's name without the extension of its format: <c>stories</c> for <c>stories.safetensors</c>. Other names as they are.</summary>
    public static string Stem(string name) =>
        Extensions.FirstOrDefault(extension => name.Length > extension.Length && name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) is { } found
            ? name.Substring(0, name.Length - found.Length)
            : name;

    /// <summary>Reads the header of a model, or of the one of its dictionaries that is named.</summary>
    /// <param name="format">The model's format.</param>
    /// <param name="path">The absolute path of the model.</param>
    /// <param name="stateDict">The name of the dictionary; null if none is named.</param>
    /// <exception cref="StateDictException">There is no dictionary of that name, or it is not clear which is the model.</exception>
    /// <exception cref="ModelFormatException">The model is malformed.</exception>
    /// <exception cref="System.IO.IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public static ModelHeader ReadHeader(IModelFormat format, string path, string? stateDict) =>
        stateDict is null ? format.ReadHeader(path)
        : format is ICheckpointFormat checkpoint ? checkpoint.ReadHeader(path, stateDict)
        : throw new StateDictException(path, $"a model of the format {format.Name} holds no dictionaries to choose {Quote.Name(stateDict)} from; leave out 'stateDict'");

    /// <summary>The format of the file or folder, or null if none recognizes it.</summary>
    public static IModelFormat? Find(string path) => Array.Find(All, format => format.Recognizes(path));
}
