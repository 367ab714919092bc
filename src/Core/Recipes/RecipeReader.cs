using Compress.Core.Diagnostics;

namespace Compress.Core.Recipes;

/// <summary>Reads compress.yaml.</summary>
public static class RecipeReader
{
    /// <summary>Reads a recipe. Null if it has errors; all of them, and warnings, are in <paramref name="diagnostics"/>.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="diagnostics">Receives what is wrong.</param>
    public static Recipe? Read(string path, DiagnosticBag diagnostics) =>
        throw new InvalidOperationException($"not written yet: {path} {diagnostics}");
}
