using Compress.Core.Diagnostics;

namespace Compress.Core.Recipes;

/// <summary>The mistakes of one recipe. All are collected, then reported in the order of their places.</summary>
internal sealed class RecipeErrors(string? file)
{
    // A recipe with more mistakes is the wrong file altogether.
    private const int MaxReported = 100;

    private readonly List<(Position Position, string Code, string Message)> errors = [];

    /// <summary>How many so far.</summary>
    public int Count => errors.Count;

    public void Add(string code, Position position, string message) => errors.Add((position, code, message));

    /// <summary>Hands all over to the bag, as errors, top to bottom.</summary>
    public void Report(DiagnosticBag diagnostics)
    {
        foreach (var (position, code, message) in errors.OrderBy(e => (e.Position.Line, e.Position.Column)).Take(MaxReported))
        {
            string more = errors.Count > MaxReported ? $" (one of {errors.Count} mistakes; the first {MaxReported} are shown)" : "";
            diagnostics.Add(new Diagnostic(code, Severity.Error, message + more, file, position.Line, position.Column));
        }
    }
}
