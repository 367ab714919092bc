using System;

namespace Compress.Core.Models.Formats;

/// <summary>A model file is not what it should be. The message says what was found and what was expected.</summary>
public class ModelFormatException : FormatException
{
    /// <param name="file">The absolute path of the file at fault.</param>
    /// <param name="message">For the user, without the path.</param>
    /// <param name="innerException">The error that led to it.</param>
    public ModelFormatException(string file, string message, Exception? innerException = null)
        : base(message, innerException) => File = file;

    /// <summary>The absolute path of the file at fault.</summary>
    public string File { get; }
}
