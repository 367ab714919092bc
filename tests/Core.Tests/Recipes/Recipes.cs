using System.Text;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Recipes;

/// <summary>Reads recipes from text for tests, with the two fake codecs.</summary>
internal static class Recipes
{
    public static (Recipe? Recipe, IReadOnlyList<Diagnostic> Diagnostics) Parse(string text) => Parse(Encoding.UTF8.GetBytes(text));

    public static (Recipe? Recipe, IReadOnlyList<Diagnostic> Diagnostics) Parse(byte[] bytes)
    {
        var diagnostics = new DiagnosticBag();
        var recipe = RecipeReader.Parse(bytes, "/models/compress.yaml", diagnostics, FakeMethod.Two);
        return (recipe, diagnostics.Items);
    }

    /// <summary>A recipe that must be right.</summary>
    public static Recipe Valid(string text)
    {
        var (recipe, diagnostics) = Parse(text);
        Assert.Empty(diagnostics);
        return recipe!;
    }

    /// <summary>The settings of the encoder that a treatment ends in.</summary>
    public static string Encoder(this Treatment treatment) => Assert.IsType<Treatment.Compress>(treatment).Encoder.Settings;
}
