using System;
using Compress.Core.Models.Formats.Safetensors;

namespace Compress.Core.Models.Formats;

/// <summary>The model formats that are read. Adding a format adds one row.</summary>
public static class ModelFormats
{
    /// <summary>All formats, in the order in which they are tried.</summary>
    public static readonly IModelFormat[] All = [new SafetensorsFormat()];

    /// <summary>The format of the file or folder, or null if none recognizes it.</summary>
    public static IModelFormat? Find(string path) => Array.Find(All, format => format.Recognizes(path));
}
