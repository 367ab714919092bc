using System.Globalization;
using System.Text.RegularExpressions;

namespace Compress.Tasks;

/// <summary>A diagnostic in MSBuild's form, as the engine prints it: <c>/abs/compress.yaml(7,5): error CMPR1004: text</c>.</summary>
/// <param name="File">The file at fault, or null.</param>
/// <param name="Line">1-based.</param>
/// <param name="Column">1-based.</param>
/// <param name="Kind"><see cref="Error"/>, <see cref="Warning"/> or <see cref="Message"/>.</param>
/// <param name="Code">Such as <c>CMPR1004</c>.</param>
/// <param name="Text">The message.</param>
internal sealed record DiagnosticLine(string? File, int Line, int Column, string Kind, string Code, string Text)
{
    public const string Error = "error";
    public const string Warning = "warning";
    public const string Message = "message"; // worth knowing, and never an error, whatever the project says of warnings

    // The path is greedy: it may hold parentheses and colons itself.
    private static readonly Regex Form = new(
        @"^(?:(?<file>.+)\((?<line>\d{1,9}),(?<column>\d{1,9})\)|compress): (?<kind>error|warning|message) (?<code>CMPR\d{4}): (?<text>.*)$",
        RegexOptions.CultureInvariant);

    /// <summary>Reads a line; null if it is no diagnostic.</summary>
    public static DiagnosticLine? Parse(string line)
    {
        Match match = Form.Match(line);
        if (!match.Success)
        {
            return null;
        }

        Group file = match.Groups["file"];
        return new DiagnosticLine(
            file.Success ? file.Value : null,
            file.Success ? Number(match.Groups["line"]) : 1,
            file.Success ? Number(match.Groups["column"]) : 1,
            match.Groups["kind"].Value,
            match.Groups["code"].Value,
            match.Groups["text"].Value);
    }

    /// <summary>The line. Whatever the text holds, it is one.</summary>
    public override string ToString() => string.Format(
        CultureInfo.InvariantCulture,
        "{0}: {1} {2}: {3}",
        File is null ? "compress" : string.Format(CultureInfo.InvariantCulture, "{0}({1},{2})", File, Line, Column),
        Kind,
        Code,
        Text.Replace('\r', ' ').Replace('\n', ' '));

    private static int Number(Group group) => int.Parse(group.Value, NumberStyles.None, CultureInfo.InvariantCulture);
}
