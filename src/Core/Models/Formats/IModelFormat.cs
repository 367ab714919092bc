namespace Compress.Core.Models.Formats;

/// <summary>One kind of weights file. Adding a format adds a folder here and a row to <see cref="ModelFormats"/>.</summary>
public interface IModelFormat
{
    /// <summary>The format's name for users, such as <c>safetensors</c>.</summary>
    string Name { get; }

    /// <summary>What its files look like, for messages: <c>*.safetensors, *.safetensors.index.json, a folder that holds either</c>.</summary>
    string Looks { get; }

    /// <summary>What the names of its files end with, longest first: it is no part of a model's name.</summary>
    string[] Extensions { get; }

    /// <summary>True if the path (a file or a folder, which exists) looks like this format. Reads no more than a few bytes.</summary>
    bool Recognizes(string path);

    /// <summary>Reads the header and checks it, offsets and sizes against the files included.</summary>
    /// <param name="path">An absolute path.</param>
    /// <exception cref="ModelFormatException">The model is malformed.</exception>
    /// <exception cref="System.IO.IOException">A file cannot be read.</exception>
    /// <exception cref="System.UnauthorizedAccessException">A file may not be read.</exception>
    ModelHeader ReadHeader(string path);
}
