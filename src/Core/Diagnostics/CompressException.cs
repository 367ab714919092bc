namespace Compress.Core.Diagnostics;

/// <summary>Ends the work on a model because of something that the user can mend. Carries the message for the user.</summary>
public sealed class CompressException(Diagnostic diagnostic, Exception? innerException = null)
    : Exception(diagnostic.ToString(), innerException)
{
    /// <summary>What to tell the user.</summary>
    public Diagnostic Diagnostic { get; } = diagnostic;

    /// <summary>An error with a code, a message and, where there is one, the file at fault.</summary>
    public CompressException(string code, string message, string? file = null, Exception? innerException = null)
        : this(new Diagnostic(code, Severity.Error, message, file), innerException)
    {
    }
}
