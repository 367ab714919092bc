using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.Pruning;

/// <summary>Models of which weights are pruned.</summary>
public class PruneRecipe : CompressionTest
{
    [Fact]
    public void PacksWhatIsKeptAsTheMethodBesideItDoes()
    {
        Recipe("method: kmeans\nbits: 4\nprune: { sparsity: 50% }\nlayers:\n- match: b.weight\n  keep: float16\n  prune: { pattern: 2:4 }\n");
        RunWell();
        using var model = PackedModel.OpenFile(OutputPath);

        Assert.Equal(["sparse", "sparse"], [model["a.weight"].Codec, model["b.weight"].Codec]);
        // A bit for each weight, a code for each second one, and sixteen values with a scale; three bits for four, and halves.
        Assert.Equal((64 * 96 / 8) + (64 * 96 / 4) + (2 * 16) + 2, model["a.weight"].StoredBytes);
        Assert.Equal((128 * 64 * 3 / 32) + (128 * 64), model["b.weight"].StoredBytes);
        Assert.True(model["a.weight"].MemoryBytes >= model["a.weight"].StoredBytes);
    }

    [Fact]
    public void PrunesTheLeastOfAllMatricesUnderARule()
    {
        Recipe("keep: float32\nprune: { sparsity: 70%, scope: global }\n");
        RunWell();
        float[] a = new float[64 * 96], b = new float[128 * 64], sourceA = new float[a.Length], sourceB = new float[b.Length];
        using var model = PackedModel.OpenFile(OutputPath);
        using var source = PackedModel.OpenFile(ModelPath);
        model["a.weight"].Dequantize(a);
        model["b.weight"].Dequantize(b);
        source["a.weight"].Dequantize(sourceA);
        source["b.weight"].Dequantize(sourceB);
        float least = sourceA.Concat(sourceB).Select(Math.Abs).OrderDescending().ElementAt((int)Math.Round(0.3 * (a.Length + b.Length)) - 1);

        Assert.Equal([.. sourceA.Concat(sourceB).Select(w => Math.Abs(w) >= least ? w : 0)], a.Concat(b));
    }

    [Fact]
    public void LeavesSomethingOfEachMatrix()
    {
        TestModel model = new TestModel().AddGaussian("a.weight", 64, 96, 1).Add("b.weight", [32, 40], [.. RandomWeights.Gaussian(32 * 40).Select(w => w * 1e-4f)]);
        model.Write(ModelPath);
        Recipe("method: uniform\nprune: { sparsity: 0.5, scope: global }\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(("CMPR1004", RecipePath, 2, 1), (error.Code, error.File, error.Line, error.Column));
        Assert.StartsWith("'sparsity': found 0.5; of 'b.weight' nothing would be left", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HasCodesThatAreEntropyCoded()
    {
        Recipe("method: kmeans\nbits: 6\nprune: { sparsity: 0.8 }\n");
        RunWell();
        float[] plain = new float[64 * 96], coded = new float[64 * 96];
        long bytes;
        using (var model = PackedModel.OpenFile(OutputPath))
        {
            model["a.weight"].Dequantize(plain);
            bytes = model["a.weight"].StoredBytes;
        }

        Recipe("method: uniform\nbits: 6\nentropy: true\nprune: { sparsity: 0.5 }\n");
        RunWell();
        Recipe("method: kmeans\nbits: 6\nentropy: true\nprune: { sparsity: 0.8 }\n");
        RunWell();
        using var smaller = PackedModel.OpenFile(OutputPath);
        smaller["a.weight"].Dequantize(coded);

        Assert.Equal(plain, coded);
        Assert.True(smaller["a.weight"].StoredBytes <= bytes, $"{smaller["a.weight"].StoredBytes} of {bytes}");
    }

    [Fact]
    public void ComesFromTheCacheAsItWasEncoded()
    {
        Recipe("method: uniform\nprune: { sparsity: 0.75, scope: global }\n");
        RunWell();
        string first = OutputHash();
        File.Delete(OutputPath);
        var report = RunWell();

        Assert.Equal(first, OutputHash());
        Assert.Equal(2, report.Layers.Count(layer => layer.Cache == "hit"));
    }

    [Fact]
    public void IsInheritedByRulesThatNameNoMethod()
    {
        Recipe("method: uniform\nprune: { sparsity: 0.5 }\nlayers:\n- match: a.weight\n  bits: 4\n- match: b.weight\n  method: uniform\n");
        RunWell();
        using var model = PackedModel.OpenFile(OutputPath);
        Assert.Equal(["sparse", "uniform"], [model["a.weight"].Codec, model["b.weight"].Codec]);
    }

    [Fact]
    public void IsOneOfABudgetsChoices()
    {
        Recipe("budget: { bits: 5 }\nmethod: kmeans\nchoose:\n- keep: float16\n  prune: { sparsity: 0.5 }\n- keep: float16\n  prune: { sparsity: 0.8 }\n- keep: float16\n  prune: { sparsity: 0.95 }\n");
        var report = RunWell();

        Assert.All(report.Layers.Where(layer => layer.Name.EndsWith(".weight", StringComparison.Ordinal) && layer.Shape.Count == 2), layer => Assert.Equal("sparse", layer.Codec));
        Assert.InRange(report.BitsPerWeight, 1, 5);
    }

    [Fact]
    public void HasNoCommonThresholdWhereABudgetChooses()
    {
        Recipe("budget: { bits: 5 }\nchoose:\n- keep: float16\n  prune: { sparsity: 0.5, scope: global }\n- keep: float16\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(("CMPR1011", 4, 3), (error.Code, error.Line, error.Column));
        Assert.Contains("and so does a budget", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HasAPatternThatDividesRows()
    {
        Recipe("method: uniform\nprune: { pattern: 3:5 }\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(("CMPR1004", 2, 1, "'pattern': found 3:5; 'a.weight' has 96 weights for each output, which 5 does not divide; choose another, or a sparsity"), (error.Code, error.Line, error.Column, error.Message));
    }

    [Theory]
    [InlineData("wanda")]
    [InlineData("sparsegpt")]
    public void NeedsACalibrationForInputs(string by)
    {
        Recipe($"method: uniform\nprune: {{ sparsity: 0.5, by: {by} }}\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal("CMPR2401", error.Code);
        Assert.Equal(RecipePath, error.File);
    }

    [Theory]
    [InlineData("method: uniform\nfeedback: gptq", 4)]
    [InlineData("method: kmeans\nweighting: inputs", 4)]
    public void PacksWeightsWithoutWhatIsKnownOfTheirRows(string method, int line)
    {
        Recipe($"calibration: {{ text: t.txt }}\n{method}\nprune: {{ sparsity: 0.5 }}\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(("CMPR1011", line), (error.Code, error.Line));
        Assert.Contains("which are known of a matrix and not of the weights that are kept of it", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("method: kmeans\nshareRows: 4")]
    [InlineData("method: uniform\ngranularity: channel")]
    public void PacksWeightsAsOneRow(string method)
    {
        Recipe($"{method}\nprune: {{ sparsity: 0.5 }}\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(("CMPR1011", 2), (error.Code, error.Line));
    }
}
