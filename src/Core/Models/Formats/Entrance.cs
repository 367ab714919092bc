using System;
using System.IO;

namespace Compress.Core.Models.Formats;

/// <summary>Where to begin with a model that may be one file, a sharded set with its index, or a Hugging Face folder with either.</summary>
internal static class Entrance
{
    /// <summary>The file to begin with. Of a folder that has both, the single file, as Hugging Face's own loaders do. Null if a folder has neither.</summary>
    /// <param name="path">A file, whatever its name, or a folder.</param>
    /// <param name="single">What the single file of a folder is called.</param>
    /// <param name="index">What the index in a folder is called.</param>
    public static string? Of(string path, string single, string index)
    {
        if (File.Exists(path))
        {
            return path;
        }

        (single, index) = (Path.Combine(path, single), Path.Combine(path, index));
        return File.Exists(single) ? single : File.Exists(index) ? index : null;
    }

    /// <summary>True if a path ends so, in capitals or not.</summary>
    public static bool EndsWith(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}
