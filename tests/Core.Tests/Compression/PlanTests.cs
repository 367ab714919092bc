using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes;
using Compress.Core.Tests.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Compression;

/// <summary>Headers of models that have no file.</summary>
internal static class Header
{
    public static ModelHeader Of(params (string Name, DType DType, long[] Shape)[] tensors) => new(
        [.. tensors.Select(t => new ModelTensor(
            t.Name, t.DType, t.Shape, "/models/m.safetensors", 0, t.Shape.Aggregate(1L, (product, d) => product * d) * t.DType.SizeInBytes()))],
        ["/models/m.safetensors"]);
}

/// <summary>Plans for one small model.</summary>
public abstract class Planning
{
    private static readonly ModelHeader Model = Header.Of(
        ("model.layers.1.norm.weight", DType.F32, [2048]),
        ("model.layers.1.q_proj.weight", DType.BF16, [64, 64]),
        ("lm_head.weight", DType.F32, [32, 32]),
        ("conv.weight", DType.F16, [16, 8, 3, 3]),
        ("small.weight", DType.F32, [31, 33]),
        ("empty.weight", DType.F32, [4096, 0]),
        ("scalar", DType.F64, []),
        ("steps", DType.I64, [64, 64]),
        ("mask", DType.Bool, [64, 64]),
        ("eighth.weight", DType.F8E4M3, [64, 64]));

    private protected static (Dictionary<string, string> Plan, IReadOnlyList<Diagnostic> Warnings) Make(string recipe)
    {
        var warnings = new DiagnosticBag();
        var plans = Plan.Make(Tests.Recipes.Recipes.Valid(recipe), Model, warnings);
        return (plans.ToDictionary(plan => plan.Tensor.Name, plan => Short(plan.Treatment)), warnings.Items);
    }

    private protected static IReadOnlyList<LayerPlan> Order(string recipe) => Plan.Make(Tests.Recipes.Recipes.Valid(recipe), Model, new());

    private static string Short(Treatment treatment) => treatment switch
    {
        Treatment.Keep { As: null } => "keep",
        Treatment.Keep { As: { } type } => $"keep {type}",
        _ => string.Join(' ', treatment.Encoder().Split(' ')[..2]),
    };
}

/// <summary>What happens to tensors that no rule names.</summary>
public class WithoutRules : Planning
{
    [Fact]
    public void TensorsComeInOrdinalOrder() =>
        Assert.Equal(
            ["conv.weight", "eighth.weight", "empty.weight", "lm_head.weight", "mask", "model.layers.1.norm.weight", "model.layers.1.q_proj.weight", "scalar", "small.weight", "steps"],
            Order("").Select(plan => plan.Tensor.Name));

    [Theory]
    [InlineData("model.layers.1.q_proj.weight", "higgs bits=4")]
    [InlineData("lm_head.weight", "higgs bits=4")] // 1,024 elements
    [InlineData("conv.weight", "higgs bits=4")]
    [InlineData("eighth.weight", "higgs bits=4")]
    [InlineData("model.layers.1.norm.weight", "keep")] // a vector
    [InlineData("small.weight", "keep")] // 1,023 elements
    [InlineData("empty.weight", "keep")]
    [InlineData("scalar", "keep")]
    [InlineData("steps", "keep")]
    [InlineData("mask", "keep")]
    public void MatricesAreCompressedAndTheRestIsKept(string name, string expected)
    {
        var (plan, warnings) = Make("");

        Assert.Equal(expected, plan[name]);
        Assert.Empty(warnings);
    }

    [Theory]
    [InlineData("float16", "lm_head.weight", "keep F16")]
    [InlineData("float16", "model.layers.1.q_proj.weight", "keep")] // BF16 is as narrow
    [InlineData("float16", "model.layers.1.norm.weight", "keep")] // not a matrix: its own type
    [InlineData("source", "lm_head.weight", "keep")]
    public void TheDefaultMayBeToKeep(string type, string name, string expected) => Assert.Equal(expected, Make($"keep: {type}").Plan[name]);
}

/// <summary>What rules decide.</summary>
public class WithRules : Planning
{
    [Fact]
    public void TheFirstMatchDecides()
    {
        var (plan, warnings) = Make("layers:\n- {match: lm_head.*, bits: 8}\n- {match: '*.weight', method: uniform, bits: 3}");

        Assert.Equal("higgs bits=8", plan["lm_head.weight"]);
        Assert.Equal("uniform bits=3", plan["conv.weight"]);
        Assert.Empty(warnings);
    }

    [Theory]
    [InlineData("model.layers.1.norm.weight")]
    [InlineData("small.weight")]
    [InlineData("scalar")]
    public void VectorsAndSmallTensorsFollowARule(string name) => Assert.Equal("higgs bits=3", Make($"layers: [{{match: {name}, bits: 3}}]").Plan[name]);

    [Fact]
    public void EmptyTensorsAreKept() => Assert.Equal("keep", Make("layers: [{match: empty.weight, bits: 3}]").Plan["empty.weight"]);

    [Fact]
    public void OnePatternOfSeveralIsEnough()
    {
        var (plan, _) = Make("layers: [{match: [conv.*, lm_head.*], keep: source}]");

        Assert.Equal(("keep", "keep", "higgs bits=4"), (plan["conv.weight"], plan["lm_head.weight"], plan["model.layers.1.q_proj.weight"]));
    }

    [Theory]
    [InlineData("float16", "lm_head.weight", "keep F16")]
    [InlineData("bfloat16", "scalar", "keep BF16")]
    [InlineData("float32", "scalar", "keep F32")]
    [InlineData("float32", "lm_head.weight", "keep")]
    [InlineData("float32", "conv.weight", "keep")] // never widened
    [InlineData("bfloat16", "conv.weight", "keep")] // nor changed without gain
    [InlineData("float16", "eighth.weight", "keep")]
    [InlineData("float16", "steps", "keep")]
    public void KeepNarrowsAndNeverWidens(string type, string name, string expected) =>
        Assert.Equal(expected, Make($"layers: [{{match: {name}, keep: {type}}}]").Plan[name]);
}

/// <summary>Rules that do nothing are pointed out.</summary>
public class IdleRule : Planning
{
    [Theory]
    [InlineData("lm_haed.weight", "the nearest name is 'lm_head.weight'")]
    [InlineData("LM_HEAD.*", "the nearest name is 'lm_head.weight'")]
    [InlineData("*.q_prj.weight", "the nearest name is 'model.layers.1.q_proj.weight'")]
    [InlineData("lm_head", "did you mean 'lm_head*' (1 tensor)?")]
    [InlineData("layers.1.*", "did you mean '*layers.1.*' (2 tensors)?")]
    [InlineData("q_proj", "did you mean '*q_proj*' (1 tensor)?")]
    public void MatchesNothing(string pattern, string hint)
    {
        var warning = Assert.Single(Make($"layers:\n  - match: [conv.*, \"{pattern}\"]\n    bits: 3").Warnings);

        Assert.Equal(("CMPR1007", 2, 21, Severity.Warning), (warning.Code, warning.Line, warning.Column, warning.Severity));
        Assert.Contains($"'{pattern}' matches no tensor", warning.Message, StringComparison.Ordinal);
        Assert.Contains(hint, warning.Message, StringComparison.Ordinal);
        Assert.Equal("/models/compress.yaml", warning.File);
    }

    [Fact]
    public void MatchesNothingAndNothingIsNear() =>
        Assert.Equal("'transformer.h.*' matches no tensor", Assert.Single(Make("layers: [{match: transformer.h.*, bits: 3}]").Warnings).Message);

    [Fact]
    public void IsShadowed()
    {
        var warning = Assert.Single(Make("layers:\n- match: '*.weight'\n  bits: 3\n- match: lm_head.*\n  bits: 8").Warnings);

        Assert.Equal(("CMPR1008", 4, 10, Severity.Warning), (warning.Code, warning.Line, warning.Column, warning.Severity));
        Assert.Contains("first in line 2", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsNotShadowedWhileOneTensorIsLeft() =>
        Assert.Empty(Make("layers:\n- match: '*.weight'\n  bits: 3\n- match: ['*']\n  keep: source").Warnings);

    [Theory]
    [InlineData("match: steps, bits: 3", "'steps' (I64)")]
    [InlineData("match: steps, keep: float16", "'steps' (I64)")]
    [InlineData("match: [mask, ste*], method: uniform", "'mask' (BOOL)")]
    public void NamesIntegersOnly(string rule, string fragment)
    {
        var warning = Assert.Single(Make($"layers: [{{{rule}}}]").Warnings);

        Assert.Equal("CMPR2006", warning.Code);
        Assert.Contains(fragment, warning.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("match: '*', bits: 3")]
    [InlineData("match: steps, keep: source")]
    public void HasAnEffectOnOthersOrSaysWhatHappens(string rule) => Assert.Empty(Make($"layers: [{{{rule}}}]").Warnings);

    /// <summary>100 rules on 10,000 long names: suggestions must not take the build's time.</summary>
    [Fact]
    public void HintsAreBounded()
    {
        var header = Header.Of([.. Enumerable.Range(0, 10_000).Select(i => ($"{new string('a', 150)}{i}", DType.F32, new long[] { 1 }))]);
        var recipe = Tests.Recipes.Recipes.Valid("layers:\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"- {{match: {new string('b', 150)}{i}, bits: 3}}\n")));
        var warnings = new DiagnosticBag();

        Plan.Make(recipe, header, warnings);

        Assert.Equal(100, warnings.Items.Count);
    }
}
