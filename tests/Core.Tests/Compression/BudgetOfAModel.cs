using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Explaining;
using Compress.Core.Reports;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Compression;

/// <summary>A budget for a model that cannot be run: errors of weights count by their squares.</summary>
public sealed class BudgetOfAModel : CompressionTest
{
    [Theory]
    [InlineData(1.7)]
    [InlineData(3)]
    [InlineData(3.25)]
    [InlineData(5.5)]
    [InlineData(20)]
    public void OfBitsIsNeverExceededAndUsed(double bits)
    {
        WriteMany();
        Recipe($"budget: {{bits: {bits}}}\n");
        var report = RunWell();
        Assert.True(report.BitsPerWeight <= bits);
        Assert.True(report.BitsPerWeight > Math.Min(bits - 0.15, 8));
        Assert.Equal("weights", report.Allocation!.Metric);
        Assert.Equal(16, report.Allocation.Layers.Count);
    }

    [Theory]
    [InlineData(60_000)]
    [InlineData(100_000)]
    [InlineData(131_072)]
    public void OfBytesIsThatOfTheFinishedFile(long bytes)
    {
        WriteMany();
        Recipe($"budget: {{size: {bytes}}}\n");
        var report = RunWell();
        long length = new FileInfo(OutputPath).Length;
        Assert.Equal(length, report.PackedBytes);
        Assert.True(length <= bytes);
        Assert.True(length > bytes - 1200); // an eighth of the smallest layer's weights, and what names and tables differ by
    }

    [Fact]
    public void CostsNoMoreThanEqualBits()
    {
        WriteMany();
        Recipe("bits: 3\n");
        var equal = RunWell();
        Recipe("budget: {size: " + equal.PackedBytes + "}\n");
        var spread = RunWell();
        Assert.True(spread.RelativeMse < equal.RelativeMse * 0.8, $"{spread.RelativeMse} and {equal.RelativeMse}");
        Assert.Equal(spread.RelativeMse * Energy(), spread.Allocation!.Predicted, 1e-6 * Energy());
    }

    [Fact]
    public void LeavesWhatRulesSay()
    {
        Recipe("budget: {bits: 3}\nlayers:\n- match: a.weight\n  bits: 5\n");
        var report = RunWell();
        Assert.Contains("n=32", report.Layers.Single(layer => layer.Name == "a.weight").Key.Settings, StringComparison.Ordinal);
        Assert.Equal("b.weight", Assert.Single(report.Allocation!.Layers).Name);
        Assert.True(report.BitsPerWeight <= 3);
    }

    [Fact]
    public void OfBitsIsForWhatIsCompressedHoweverMuchIsKept()
    {
        new TestModel().AddGaussian("a.weight", 64, 256, 1).AddGaussian("kept.weight", 512, 512, 2).Write(ModelPath);
        Recipe("budget: {bits: 3.1}\nlayers:\n- match: kept.*\n  keep: source\n");
        Assert.InRange(RunWell().BitsPerWeight, 3, 3.1);
    }

    [Fact]
    public void OfMethodsWithTheirOwnWidths()
    {
        Recipe("budget: {bits: 4.6}\nmethod: uniform\nclip: mse\nlayers:\n- match: b.weight\n  method: higgs\n  p: 2\n");
        var report = RunWell();
        Assert.Contains("clip=mse", report.Layers.Single(layer => layer.Name == "a.weight").Key.Settings, StringComparison.Ordinal);
        Assert.Contains("p=2", report.Layers.Single(layer => layer.Name == "b.weight").Key.Settings, StringComparison.Ordinal);
    }

    // E ‖dW x‖² is t² ‖W‖² tr E[x xᵀ] / inputs; of an embedding one of 50 rows is looked up.
    [Fact]
    public void StatisticsOfInputsTellWhatErrorsOfOutputsAre()
    {
        float[] weights = [.. TestModel.Gaussian(40 * 30, 1)], table = [.. TestModel.Gaussian(50 * 30, 2)];
        new TestModel().Add("a.weight", [40, 30], weights).Add("e.weight", [50, 30], table).Write(ModelPath);
        WriteStatistics([.. Enumerable.Range(0, 900).Select(i => i % 31 == 0 ? i / 31 : 0.5)]);
        Recipe("budget: {bits: 4}\ncalibration: {statistics: s.safetensors}\n");
        var allocation = RunWell().Allocation!;
        Assert.Equal(("outputs", null, null, 0), (allocation.Metric, allocation.Probe, allocation.Tokens, allocation.Layers[0].Tokens));
        Assert.Equal(weights.Sum(value => (double)value * value) * (29 * 30 / 2) / 30, allocation.Layers[0].Alpha, 1e-6 * allocation.Layers[0].Alpha);
        Assert.Equal(table.Sum(value => (double)value * value) / 50, allocation.Layers[1].Alpha, 1e-6 * allocation.Layers[1].Alpha);
        Assert.Null(allocation.PredictedKl);
    }

    // Feedback has larger errors of weights, and smaller ones of outputs; both take the same bytes.
    [Fact]
    public void StatisticsOfInputsPreferErrorsThatOutputsDoNotShow()
    {
        new TestModel().AddGaussian("a.weight", 40, 30, 1).AddGaussian("e.weight", 50, 30, 2).Write(ModelPath);
        WriteStatistics([.. Enumerable.Range(0, 900).Select(i => i % 31 == 0 ? 1 : 0.9)]);
        Recipe("budget: {bits: 9}\nmethod: uniform\ngroupSize: 16\ncalibration: {statistics: s.safetensors}\nlayers:\n- match: a.weight\n  choose:\n  - bits: 3\n  - {bits: 3, feedback: gptq}\n");
        var report = RunWell();
        Assert.Contains("feedback=gptq", report.Layers.Single(layer => layer.Name == "a.weight").Key.Settings, StringComparison.Ordinal);
        var layer = report.Allocation!.Layers.Single(layer => layer.Name == "a.weight");
        Assert.InRange(layer.Predicted, 0, 0.5 * layer.Alpha * layer.RelativeMse);
    }

    [Fact]
    public void StatisticsThatLackALayerAreAnErrorAtTheirPlace()
    {
        new TestModel().AddGaussian("a.weight", 40, 30, 1).AddGaussian("b.weight", 40, 30, 1).Write(ModelPath);
        WriteStatistics(new double[900]);
        Recipe("budget: {bits: 4}\ncalibration: {statistics: s.safetensors}\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.StatisticsLacking, 2, 27), (error.Code, error.Line, error.Column));
    }

    private void WriteStatistics(double[] moments)
    {
        using var stream = File.Create(Path.Combine(Path.GetDirectoryName(ModelPath)!, "s.safetensors"));
        Core.Emit.SafetensorsWriter.Write(
            stream,
            new Dictionary<string, string> { ["compress.statistics"] = """{"version":1,"tokens":9,"layers":{"a.weight":{}},"tables":["e.weight"]}""" },
            [new("a.weight.inputSecondMoments", Compress.Runtime.Safetensors.DType.F64, [30, 30], 8 * 900, to => to.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<double>(moments)))]);
    }

    [Theory]
    [InlineData(2.5, "minBits: 2\nmaxBits: 3\n", "n=4", "n=8")]
    [InlineData(9, "maxBits: 3\n", "n=8")]
    [InlineData(4.08, "minBits: 4\n", "n=16")]
    public void StaysWithinFloorsAndCeilings(double bits, string limits, params string[] points)
    {
        WriteMany();
        Recipe($"budget: {{bits: {bits}}}\n{limits}");
        Assert.Equal(points, RunWell().Layers.Select(layer => layer.Key.Settings.Split(' ')[1]).Distinct().Order());
    }

    [Fact]
    public void ChoosesAmongMethodsAndKeeping()
    {
        WriteMany();
        Recipe("budget: {bits: 6}\nchoose:\n- method: higgs\n  maxBits: 2\n- {method: uniform, bits: 4}\n- keep: float16\n");
        var report = RunWell();
        var forms = report.Layers.Select(layer => $"{layer.Codec} {layer.Key.Settings.Split(' ')[0]} {layer.Key.Settings.Split(' ').ElementAtOrDefault(1)}").Distinct().Order().ToList();
        Assert.Contains("keep F16 ", forms);
        Assert.Contains(forms, form => form.StartsWith("uniform bits=4", StringComparison.Ordinal));
        Assert.All(forms, form => Assert.Matches("^(keep F16 |uniform bits=4.*|higgs p=1 n=[24])$", form));
        double weights = report.Layers.Sum(layer => (double)layer.Shape[0] * layer.Shape[1]);
        double bits = report.Layers.Sum(layer => layer.BitsPerWeight * layer.Shape[0] * layer.Shape[1]) / weights;
        Assert.InRange(bits, 5.5, 6); // those that are kept count too
    }

    // 2, 3.23, 3.585 and 4 bits: each a little more with its scales and its table.
    [Fact]
    public void ChoosesAmongGridsOfAnySize()
    {
        WriteMany();
        Recipe("budget: {bits: 3.35}\nchoose:\n- {p: 2, bits: 2}\n- {p: 2, n: 88}\n- n: 12\n- {p: 2, bits: 4}\n");
        var report = RunWell();
        Assert.InRange(report.BitsPerWeight, 3.25, 3.35);
        var grids = report.Layers.Select(layer => string.Join(' ', layer.Key.Settings.Split(' ')[..2])).ToList();
        Assert.All(grids, grid => Assert.Contains(grid, (string[])["p=2 n=16", "p=2 n=88", "p=1 n=12", "p=2 n=256"]));
        Assert.Contains("p=2 n=88", grids);
        var sizes = report.Layers.Where(layer => layer.Key.Settings.StartsWith("p=2 n=88", StringComparison.Ordinal)).Select(layer => layer.BitsPerWeight);
        Assert.All(sizes, bits => Assert.InRange(bits, 3.23, 3.6));
    }

    [Fact]
    public void OptionsStartFromWhatStandsBesideThem()
    {
        Recipe("budget: {bits: 3.1}\ngroupSize: 64\nchoose:\n- maxBits: 2\n- bits: 3\n- {method: uniform, bits: 8}\n");
        var keys = RunWell().Layers.Where(layer => layer.Codec == "higgs").Select(layer => layer.Key.Settings).ToList();
        Assert.NotEmpty(keys);
        Assert.All(keys, key => Assert.Contains("groupSize=64", key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("layers.*", 16)]
    [InlineData("layers", 1)]
    [InlineData("layers.1*", 11)] // nine others and 1, 10 to 15: those begin differently
    public void GroupsShareOneChoice(string group, int most)
    {
        WriteMany();
        Recipe($"budget: {{bits: 3.5}}\ngroup: {group}\n");
        var layers = RunWell().Layers;
        Assert.InRange(layers.Select(layer => layer.Key.Settings).Distinct().Count(), 1, most);
        Assert.True(most == 1 || layers.Select(layer => layer.Key.Settings).Distinct().Count() > 1);
    }

    // Two small matrices: a grid of 4096 points takes 32 kB, more than both of them, so that nothing is won by what it does for one.
    [Fact]
    public void ATableThatIsNotWorthItsBytesIsNotUsed()
    {
        new TestModel().AddGaussian("a.weight", 64, 256, 1).AddGaussian("b.weight", 64, 512, 2).Write(ModelPath);
        const string Choose = "choose:\n- method: higgs\n- {method: higgs, p: 4, bits: 3}\n";
        Recipe("budget: {size: 20 kB}\n");
        var without = RunWell();
        Recipe("budget: {size: 20 kB}\n" + Choose);
        var spread = RunWell();
        Assert.Equal(without.RelativeMse, spread.RelativeMse, 1e-12);
        Recipe("budget: {size: 60 kB}\n" + Choose);
        Assert.InRange(RunWell().PackedBytes, 30_000, 60_000);
    }

    [Fact]
    public void AGroupOfLayersIsAsGoodAsItCanBe()
    {
        WriteMany();
        Recipe("budget: {bits: 3.5}\ngroup: layers\n");
        var grouped = RunWell();
        Assert.Equal("n=8", Assert.Single(grouped.Layers.Select(layer => layer.Key.Settings.Split(' ')[1]).Distinct()));
        Recipe("budget: {bits: 3.5}\n");
        Assert.True(RunWell().RelativeMse < grouped.RelativeMse);
    }

    [Fact]
    public void AGroupOfNothingIsWarnedOf()
    {
        WriteMany();
        Recipe("budget: {bits: 3.5}\nlayers:\n- match: layers.*\n  group: model.layers\n");
        Assert.NotNull(Run());
        var warning = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.RecipeMatchesNothing, 4, 10), (warning.Code, warning.Line, warning.Column));
        Assert.Contains("'model.layers' is the beginning of no tensor's name here", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TooSmallIsAnErrorAtItsPlace()
    {
        Recipe("seed: 1\nbudget:\n  bits: 0.5\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.BudgetTooSmall, 3, 9), (error.Code, error.Line, error.Column));
        Assert.Contains("the budget is 0.5 bits per weight, and the least that these rules allow is 1.", error.Message, StringComparison.Ordinal);

        Recipe("budget: {size: 1 kB}\n");
        Assert.Null(Run());
        Assert.Contains("the budget is 1000 bytes", Assert.Single(Diagnostics.Items).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(OutputPath));
    }

    [Fact]
    public void EncodesNothingTwice()
    {
        Recipe("budget: {bits: 3}\n");
        Assert.Equal(2, RunWell().CacheMisses);
        string before = OutputHash();
        Assert.Equal(16, Entries().Length); // two layers of eight widths
        Assert.Equal(0, RunWell(threads: 1).CacheMisses);
        Recipe("budget: {bits: 4.2}\n");
        Assert.Equal(0, RunWell().CacheMisses);
        Recipe("budget: {bits: 3}\n");
        RunWell(cache: false);
        Assert.Equal(before, OutputHash());
    }

    [Fact]
    public void IsPreviewed()
    {
        Recipe("budget: {bits: 3}\n");
        Assert.Equal([LayerAction.Encode, LayerAction.Encode, LayerAction.Keep, LayerAction.Keep], Look().Layers.Select(layer => layer.Action));
        ReportWriter.Write(RunWell(), OutputPath + ".report.json");
        Assert.True(Look().UpToDate);
        Assert.Equal([LayerAction.Reuse, LayerAction.Reuse, LayerAction.Keep, LayerAction.Keep], Look().Layers.Select(layer => layer.Action));
        Recipe("budget: {bits: 4}\n");
        Assert.False(Look().UpToDate);
    }

    private Preview Look() => Core.Explaining.Preview.Make(
        new CompressionRequest(ModelPath, null, OutputPath) { Cache = new LayerCache(CachePath) },
        LastRun.Read(OutputPath + ".report.json"),
        new DiagnosticBag(),
        CancellationToken.None)!;

    // Sixteen layers of weights of different size.
    private void WriteMany()
    {
        var model = new TestModel();
        for (int layer = 0; layer < 16; layer++)
        {
            model.Add($"layers.{layer}.weight", [64, 128 + (16 * layer)], [.. Values(layer)]);
        }

        model.Write(ModelPath);
    }

    private static IEnumerable<float> Values(int layer) =>
        TestModel.Gaussian(64 * (128 + (16 * layer)), layer).Select(value => value * MathF.Pow(1.4f, layer));

    private static double Energy() => Enumerable.Range(0, 16).SelectMany(Values).Sum(value => (double)value * value);
}
