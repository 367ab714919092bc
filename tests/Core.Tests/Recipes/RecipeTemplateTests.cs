using System.Text.RegularExpressions;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes;
using Compress.Core.Tests.Compression;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Recipes;

/// <summary>What <c>compress init</c> writes.</summary>
public class StartingRecipe
{
    private static readonly ModelHeader Llama = Header.Of(
        ("lm_head.weight", DType.F32, [512, 64]),
        ("model.embed_tokens.weight", DType.F32, [512, 64]),
        ("model.layers.0.norm.weight", DType.F32, [64]),
        ("model.layers.0.q_proj.weight", DType.F32, [64, 64]),
        ("model.layers.1.norm.weight", DType.F32, [64]),
        ("model.layers.1.q_proj.weight", DType.F32, [64, 64]),
        ("model.layers.10.norm.weight", DType.F32, [64]),
        ("model.layers.10.q_proj.weight", DType.F32, [64, 64]));

    [Fact]
    public void DoesWhatNoRecipeDoes()
    {
        var recipe = Recipes.Valid(RecipeTemplate.Create(Llama, codecs: FakeMethod.Two));

        Assert.Equal(Recipes.Valid("").Default.Encoder(), recipe.Default.Encoder());
        Assert.Empty(recipe.Rules);
    }

    [Fact]
    public void TellsEditorsWhereItsSchemaIs() =>
        Assert.StartsWith($"# yaml-language-server: $schema={RecipeSchema.FileName}\n", RecipeTemplate.Create(Llama, codecs: FakeMethod.Two), StringComparison.Ordinal);

    [Fact]
    public void ListsLayersByPattern()
    {
        string text = RecipeTemplate.Create(Llama, codecs: FakeMethod.Two);

        Assert.Contains("#   \"lm_head.weight\": F32 [512, 64]\n", text, StringComparison.Ordinal);
        Assert.Contains("#   \"model.layers.*.q_proj.weight\" ×3: F32 [64, 64]\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("layers.10", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ItsExamplesAreRulesThatFitTheModel()
    {
        string text = RecipeTemplate.Create(Llama, codecs: FakeMethod.Two);
        string uncommented = Regex.Replace(text, "^( *)# ((- | *(match|bits|method|keep|gate|relativeError|seed|nonFinite|p|groupSize):).*)$", "$1$2", RegexOptions.Multiline);
        var recipe = Recipes.Valid(uncommented);
        var warnings = new DiagnosticBag();

        Plan.Make(recipe, Llama, warnings);

        Assert.Equal(3, recipe.Rules.Count);
        Assert.NotNull(recipe.Gate);
        Assert.Empty(warnings.Items);
    }

    [Fact]
    public void IsValidForAnyNames()
    {
        var header = Header.Of(
            ("", DType.F32, [64, 64]),
            ("\"\\", DType.F32, [64, 64]),
            ("a\nbits: 99", DType.F32, [64, 64]),
            ("a\u0085bits: 99\u2028bits: 99\rbits: 99\0", DType.F32, [64, 64]),
            ("x.0.\uD800", DType.F32, [64]),
            ("x.1.\uD800", DType.F32, [64]));

        Recipes.Valid(RecipeTemplate.Create(header, codecs: FakeMethod.Two));
        Recipes.Valid(RecipeTemplate.Create(Header.Of(), codecs: FakeMethod.Two));
    }
}
