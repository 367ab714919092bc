using System.Globalization;

namespace Compress.Core.Diagnostics;

/// <summary>How bad a <see cref="Diagnostic"/> is.</summary>
public enum Severity
{
    /// <summary>Worth knowing; nothing needs to be done. Never becomes an error, whatever the project says of warnings.</summary>
    Message,

    /// <summary>The build goes on.</summary>
    Warning,

    /// <summary>The build fails.</summary>
    Error,
}

/// <summary>
/// One message for the user about something that is the user's to mend. Codes are listed in <see cref="Codes"/>;
/// docs/diagnostics.md has a section for each.
/// </summary>
/// <param name="Code">Such as <c>CMPR1004</c>.</param>
/// <param name="Severity">Message, warning or error.</param>
/// <param name="Message">One line: what was found, what was expected, what to do.</param>
/// <param name="File">The absolute path of the file at fault, if any.</param>
/// <param name="Line">1-based; 1 for files without lines.</param>
/// <param name="Column">1-based.</param>
public sealed record Diagnostic(string Code, Severity Severity, string Message, string? File = null, int Line = 1, int Column = 1)
{
    /// <summary>MSBuild's canonical form: <c>/abs/compress.yaml(7,5): error CMPR1004: text</c>.</summary>
    public override string ToString()
    {
        string origin = File is null ? "compress" : string.Create(CultureInfo.InvariantCulture, $"{File}({Line},{Column})");
        return $"{origin}: {Kind} {Code}: {OneLine(Message)}";
    }

    /// <summary>The severity as it stands in the text.</summary>
    public string Kind => Severity switch
    {
        Severity.Error => "error",
        Severity.Warning => "warning",
        _ => "message",
    };

    /// <summary>The same, where another file names the one at fault: at that place, and with the path of the one at fault before the message.</summary>
    public Diagnostic At(string? file, int line, int column) => this with { File = file, Line = line, Column = column, Message = $"{File}: {Message}" };

    // Names from files may hold anything: no line break may end the message early, no escape sequence may reach a terminal.
    private static string OneLine(string text) =>
        string.Create(text.Length, text, static (line, source) =>
        {
            for (int i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(source[i]) || source[i] is '\u2028' or '\u2029' ? ' ' : source[i];
            }
        });
}
