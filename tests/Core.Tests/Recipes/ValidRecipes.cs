using Compress.Core.Diagnostics;
using System.Globalization;
using System.Text;
using Compress.Core.Evaluation;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Recipes;

/// <summary>Recipes without a mistake.</summary>
public class ValidRecipe
{
    public static TheoryData<string> All => new()
    {
        "",
        "# nothing but a comment\n",
        "---\n",
        "null",
        "{}",
        "version: 1",
        "method: higgs\nbits: 4\np: 1\ngroupSize: 256\nseed: 0xFFFFFFFFFFFFFFFF\nnonFinite: keep\ngate: {relativeError: 0.05}\n",
        "method: uniform\nbits: 8\nsymmetric: true\ngranularity: channel\n",
        "keep: source",
        "keep: bfloat16\nlayers:\n- match: a\n  bits: 3\n",
        "layers:",
        "layers: []",
        "source: {stateDict: model.ema}",
        "bits: 4\nsource:   # which of them\n\n  stateDict: 'a b'   # this\nseed: 1",
        "source: { stateDict: \"größer \" } # x\r\nbits: 4\r\n",
        "budget: {bits: 3.25}",
        "budget: {bits: 3.25, sensitivity: {probe: noise, source: random, standardError: 2.5%, tokens: 100}}",
        "budget: {size: 1 MB, sensitivity: {metric: perplexity, source: calibration, standardError: 0.5}}\ncalibration: {text: t.txt}",
        "budget: {bits: 3.25}\nbits: 5\nminBits: 2\nmaxBits: 2\ngroup: model.layers.*\nlayers:\n- match: a\n  maxBits: 6\n- match: b\n  group: b",
        "budget: {bits: 3.25}\np: 2\nchoose:\n- minBits: 3\n- bits: 2\n- {method: uniform, bits: 8}\n- keep: float16\nlayers:\n- match: a\n  method: uniform\n  choose: [{symmetric: true}, {keep: source}]\n  group: a.*",
        "budget: {size: 9 MB}\nlayers:\n- match: a\n  bits: 8\n",
        "budget: {size: 9000000}",
        "calibration: {text: a b.txt}",
        "calibration: {text: t.ids, tokens: 1, unit: paragraph, window: 2, seed: 0xFFFFFFFFFFFFFFFF}",
        "calibration: {statistics: s.safetensors}",
        "method: uniform\nprune: {sparsity: 50%}",
        "method: uniform\nprune: {sparsity: 0.5, scope: global}\nlayers:\n- match: a\n  bits: 3\n- match: b\n  method: higgs\n- match: c\n  keep: float16\n  prune: {pattern: \"2:4\", by: wanda, scope: layer}\n- match: d\n  prune: {pattern: 1:4, by: sparsegpt}\n- match: e\n  method: higgs\n  lowrank: {rank: 2}\n- match: f\n  keep: source\ncalibration: {text: t}",
        "budget: {bits: 3}\nchoose:\n- prune: {sparsity: 0.5}\n  method: uniform\n- keep: float16\n  prune: {sparsity: 90%}",
        "lowrank: {rank: 8}",
        "keep: float16\nlowrank: {energy: 95%, by: whitened, of: weights}\ncalibration: {text: t}\nlayers:\n- match: a\n  bits: 3\n- match: b\n  keep: bfloat16\n- match: c\n  method: uniform\n  lowrank: {bits: 2.5, of: residual, by: svd}",
        "budget: {bits: 3}\nchoose:\n- lowrank: {rank: 8}\n- keep: float16\n  lowrank: {rank: 16}",
        "gate: {}",
        "gate: {relativeError: 1}",
        "gate: {severity: warning, kl: {text: a b.txt, max: 0.5}}",
        "gate: {severity: error, perplexity: {text: t, increase: 2.5%, unit: paragraph, window: 2, stride: 1, limit: 1, bos: false}}",
        "gate: {relativeError: 5e-2}",
        "layers:\n- match: '*.weight'\n  bits: 8\n- {match: [a, \"b*\"], method: uniform, symmetric: false}\n- match: c\n  keep: float16",
        "method: uniform\nlayers:\n- match: a\n  granularity: tensor\n- match: b\n  method: higgs\n  p: 1\n",
        "{\"method\": \"higgs\", \"bits\": 4, \"layers\": [{\"match\": \"a\", \"keep\": \"source\"}]}",
        "{\n  \"method\": \"higgs\",\n  \"layers\": [\n    {\n      \"match\": \"a\",\n      \"bits\": 4\n    }\n  ]\n}\n",
        "layers: [\n  {match: a, bits: 4}\n]\n",
        "layers:\n- match:\n  - a\n  - b\n  bits: 4\n- match: [\n    c,\n    d\n  ]\n  keep: source\n",
        "bits:\t4",
        "\uFEFFbits: 4",
        "bits: 4\r\nlayers:\r\n  - match: a\r\n    bits: 3\r\n",
        "bits: +4",
        "bits: 0o4",
        "bits: 04",
        "layers:\n- match: 層.?\n  keep: source",
        "%YAML 1.2\n---\nbits: 4\n...\n",
    };

    [Theory]
    [InlineData("source: {stateDict: model.ema}", "model.ema", 1, 21)]
    [InlineData("bits: 4\nsource:\n\n  # this\n  stateDict: 'a b' # x", "a b", 5, 14)]
    [InlineData("bits: 4", null, 0, 0)]
    [InlineData("layers:\n  - match: a\n    # source: {stateDict: model.ema}\n    bits: 4", null, 0, 0)]
    public void NamesADictionaryAtItsPlace(string text, string? name, int line, int column) =>
        Assert.Equal(name is null ? null : new(name, "/models/compress.yaml", line, column), Recipes.Valid(text).StateDict);

    [Theory, MemberData(nameof(All))]
    public void HasNoDiagnostics(string text) => Recipes.Valid(text);

    [Fact]
    public void EmptyMeansTheDefaults()
    {
        var recipe = Recipes.Valid("");

        Assert.Equal("higgs bits=4 p=2 groupSize=1024 seed=0", recipe.Default.Encoder());
        Assert.Equal((0ul, false, null), (recipe.Seed, recipe.KeepNonFinite, recipe.Gate));
        Assert.Empty(recipe.Rules);
    }

    [Fact]
    public void BuiltInIsHiggsWithFourBits()
    {
        var treatment = Assert.IsType<Treatment.Compress>(Recipe.BuiltIn.Default);

        Assert.Equal("higgs", treatment.Codec.Name);
        Assert.Equal(4, treatment.Codec.Settings.Single(setting => setting.Name == "bits").Default);
        Assert.Null(Recipe.BuiltIn.File);
    }

    [Fact]
    public void KnowsPlaces()
    {
        var recipe = Recipes.Valid("bits: 4\nlayers:\n  - match: [a, \"b*\"]\n    keep: float16\n  - bits: 3\n    match: c\ngate:\n  relativeError: 0.25\n");

        Assert.Equal(new Position(3, 5), recipe.Rules[0].Position);
        Assert.Equal([new(3, 13), new(3, 16)], recipe.Rules[0].Match.Select(pattern => pattern.Position));
        Assert.Equal(new Position(4, 5), recipe.Rules[0].Treatment.Position);
        Assert.Equal(new Position(6, 12), recipe.Rules[1].Match[0].Position);
        Assert.Equal(new Gate(new Limit(0.25, new(8, 18)), null, null, Severity.Error), recipe.Gate);
    }

    [Theory]
    [InlineData("2%", 0.02)]
    [InlineData("0.5%", 0.005)]
    [InlineData("0.02", 0.02)]
    [InlineData("3", 3)]
    public void IncreaseIsAPartOrAPercentage(string text, double expected) =>
        Assert.Equal(expected, Recipes.Valid($"gate: {{perplexity: {{text: t, increase: {text}}}}}").Gate!.Perplexity!.Limit.Value, 1e-12);

    [Fact]
    public void EvaluationKnowsItsSettingsAndPlace()
    {
        var on = Recipes.Valid("gate:\n  kl: {max: 1, text: t.txt, unit: paragraph, window: 257, stride: 9, limit: 800, bos: false}\n").Gate!.Kl!.On;
        Assert.Equal(
            new EvaluationSettings("/models/t.txt")
            {
                Unit = TextUnit.Paragraph, Window = 257, Stride = 9, Limit = 800, Bos = false, Position = new(2, 22),
            },
            on);
        Assert.Equal(
            new EvaluationSettings("/models/t") { Position = new(1, 27) }, Recipes.Valid("gate: {kl: {max: 1, text: t}}").Gate!.Kl!.On);
    }

    [Fact]
    public void SeedReachesTheEncoders() =>
        Assert.EndsWith("seed=18446744073709551615", Recipes.Valid("seed: 18446744073709551615").Default.Encoder(), StringComparison.Ordinal);

    [Theory]
    [InlineData("source", null)]
    [InlineData("float32", DType.F32)]
    [InlineData("float16", DType.F16)]
    [InlineData("bfloat16", DType.BF16)]
    public void KeepNamesATypeOrTheSource(string word, DType? type) =>
        Assert.Equal(type, Assert.IsType<Treatment.Keep>(Recipes.Valid($"keep: {word}").Default).As);

    [Fact]
    public void MeansTheSameInAllCultures()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            // The product runs in the invariant culture; a host might not.
            CultureInfo.CurrentCulture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            CultureInfo.CurrentCulture.NumberFormat = new() { NumberDecimalSeparator = ",", NumberGroupSeparator = ".", NegativeSign = "−" };
            Assert.Equal(0.05, Recipes.Valid("gate: {relativeError: 0.05}").Gate!.RelativeError!.Value);
            var (_, diagnostics) = Recipes.Parse("BITS: 4\nseed: -5");
            Assert.Contains("did you mean 'bits'?", diagnostics[0].Message, StringComparison.Ordinal);
            Assert.Contains("found -5,", diagnostics[1].Message, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}

/// <summary>What rules take from the top level.</summary>
public class RuleInheritance
{
    [Fact]
    public void SettingsAloneChangeTheTopLevelsMethod() =>
        Assert.Equal("higgs bits=8 p=1 groupSize=64 seed=0", First("p: 1\ngroupSize: 64\nlayers: [{match: a, bits: 8}]"));

    [Fact]
    public void AMethodStartsFromItsOwnDefaults() =>
        Assert.Equal("higgs bits=8 p=2 groupSize=1024 seed=0", First("p: 1\ngroupSize: 64\nlayers: [{match: a, method: higgs, bits: 8}]"));

    [Fact]
    public void OrderOfKeysDoesNotMatter() =>
        Assert.Equal("uniform bits=3 symmetric=True granularity=group seed=7", First("layers: [{bits: 3, match: a}]\nsymmetric: true\nseed: 7\nmethod: uniform"));

    [Fact]
    public void BelowKeepTheDefaultMethodIsMeant() =>
        Assert.Equal("higgs bits=3 p=2 groupSize=1024 seed=0", First("keep: source\nlayers: [{match: a, bits: 3}]"));

    private static string First(string text) => Recipes.Valid(text).Rules[0].Treatment.Encoder();
}
