using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.Codecs.LowRank;

/// <summary>Models of which matrices are factored.</summary>
public class LowRankRecipe : CompressionTest
{
    [Fact]
    public void PacksFactorsAsTheMethodBesideItDoes()
    {
        Recipe("lowrank: { rank: 16 }\nlayers:\n- match: b.weight\n  keep: float16\n  lowrank: { rank: 8 }\n");
        RunWell();
        using var model = PackedModel.OpenFile(OutputPath);

        Assert.Equal(["lowrank", "lowrank"], [model["a.weight"].Codec, model["b.weight"].Codec]);
        // Codes of 4 bits and a scale a row; and halves.
        Assert.Equal((16 * (64 + 96) / 2) + (2 * (64 + 16)), model["a.weight"].StoredBytes);
        Assert.Equal(2 * 8 * (128 + 64), model["b.weight"].StoredBytes);
    }

    [Fact]
    public void HasFactorsWhoseCodesAreEntropyCoded()
    {
        Recipe("n: 20\nlowrank: { rank: 32 }\n");
        RunWell();
        float[] plain = new float[64 * 96], coded = new float[64 * 96];
        long bytes;
        using (var model = PackedModel.OpenFile(OutputPath))
        {
            model["a.weight"].Dequantize(plain);
            bytes = model["a.weight"].StoredBytes;
        }

        Recipe("n: 20\nentropy: true\nlowrank: { rank: 32 }\n");
        RunWell();
        using var smaller = PackedModel.OpenFile(OutputPath);
        smaller["a.weight"].Dequantize(coded);

        Assert.Equal(plain, coded);
        Assert.True(smaller["a.weight"].StoredBytes < 0.98 * bytes, $"{smaller["a.weight"].StoredBytes} of {bytes}");
        // In memory a code takes whole bits.
        Assert.Equal((32 * (64 + 96) * 5 / 8) + (2 * (64 + 32)), smaller["a.weight"].MemoryBytes);
    }

    [Fact]
    public void ComesFromTheCacheAsItWasEncoded()
    {
        Recipe("lowrank: { energy: 60%, of: residual }\nbits: 2");
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
        Recipe("lowrank: { rank: 16 }\nlayers:\n- match: a.weight\n  bits: 8\n- match: b.weight\n  method: uniform\n");
        RunWell();
        using var model = PackedModel.OpenFile(OutputPath);

        Assert.Equal(["lowrank", "uniform"], [model["a.weight"].Codec, model["b.weight"].Codec]);
        Assert.Equal((16 * (64 + 96)) + (2 * (64 + 16)), model["a.weight"].StoredBytes);
    }

    [Fact]
    public void IsOneOfABudgetsChoices()
    {
        Recipe("budget: { bits: 3 }\nchoose:\n- lowrank: { rank: 4 }\n  keep: float16\n- lowrank: { rank: 12 }\n  keep: float16\n");
        var report = RunWell();

        Assert.All(report.Layers.Where(layer => layer.Name.EndsWith(".weight", StringComparison.Ordinal) && layer.Shape.Count == 2), layer => Assert.Equal("lowrank", layer.Codec));
        Assert.InRange(report.BitsPerWeight, 1.5, 3);
    }

    [Fact]
    public void HasARankThatMatricesHave()
    {
        Recipe("lowrank: { rank: 8 }\nlayers:\n- match: a.weight\n  lowrank: { rank: 65 }\n- match: b.weight\n  lowrank: { rank: 43 }\n");
        Assert.Null(Run());
        Assert.Equal(
            [
                ("CMPR1004", 4, 3, "'rank': found 65; 'a.weight' is a matrix of 64 × 96, whose rank is at most 64"),
                ("CMPR1013", 6, 3, "'rank': found 43; 'b.weight' is a matrix of 128 × 64, and factors of a rank above 42 hold no fewer numbers than that"),
            ],
            Diagnostics.Items.Select(item => (item.Code, item.Line, item.Column, item.Message)));
    }

    [Fact]
    public void PacksFactorsByWhatIsKnownOfThem()
    {
        Recipe("calibration: { text: t.txt }\nmethod: cvxq\nsensitivity: gradients\nlowrank: { rank: 8 }\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(("CMPR1011", 4), (error.Code, error.Line));
        Assert.Contains("which are known of the layer and not of its factors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HasBitsThatMatricesCanHave()
    {
        Recipe("keep: source\nlayers:\n- match: a.weight\n  keep: float16\n  lowrank: { bits: 0.1 }\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal(("CMPR1004", RecipePath, 5), (error.Code, error.File, error.Line));
    }
}
