using System;
using System.Linq;
using Compress.Core.Models.Formats.Gguf;
using Compress.Core.Models.Formats.Llama2C;
using Compress.Core.Models.Formats.PyTorch;
using Compress.Core.Models.Formats.Safetensors;
using Compress.Core.Models.Formats.TorchSharp;

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

    /// <summary>The format of the file or folder, or null if none recognizes it.</summary>
    public static IModelFormat? Find(string path) => Array.Find(All, format => format.Recognizes(path));
}
