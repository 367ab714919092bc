using System;

namespace Compress.Runtime.Safetensors;

/// <summary>A file is not a well-formed safetensors file. The message says what was found and what was expected.</summary>
public sealed class SafetensorsException : FormatException
{
    /// <summary>Creates the exception with a message for the user.</summary>
    public SafetensorsException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message for the user and the error that led to it.</summary>
    public SafetensorsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
