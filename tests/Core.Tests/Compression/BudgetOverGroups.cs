using System.Runtime.InteropServices;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Explaining;
using Compress.Core.Reports;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Compression;

/// <summary>A budget that is spread over the groups of weights of all layers at once. Statistics come from a file: b's gradients are sixteen times a's.</summary>
public sealed class BudgetOverGroups : CompressionTest
{
    private const int Rows = 128, Columns = 512, GroupSize = 64;

    private const string Rest = "method: cvxq\ngroupSize: 64\nsensitivity: gradients\nbiasCorrection: false\ncalibration: {statistics: s.safetensors}\n";

    public BudgetOverGroups()
    {
        Model().Write(ModelPath);
        WriteStatistics(1, 256);
    }

    private string ReportPath => OutputPath + ".report.json";

    [Theory]
    [InlineData("size: 60000")]
    [InlineData("size: 47 KiB")]
    [InlineData("bits: 2.5")]
    [InlineData("bits: 3.1")]
    [InlineData("bits: 4")]
    public void IsMetWithinAThousandthAndNotExceeded(string budget)
    {
        var report = Compress(budget);
        double limit = budget switch { "size: 60000" => 60000, "size: 47 KiB" => 47 * 1024, _ => double.Parse(budget[6..], System.Globalization.CultureInfo.InvariantCulture) };
        Assert.InRange((budget[0] == 's' ? new FileInfo(OutputPath).Length : report.BitsPerWeight) / limit, 0.999, 1);
    }

    // Groups of 44 weights fill no whole bytes.
    [Fact]
    public void GroupsThatFillNoWholeBytesFitToo()
    {
        Model(columns: 172).Write(ModelPath);
        WriteStatistics(1, 256, columns: 172);
        for (int tenths = 30; tenths <= 40; tenths++)
        {
            double bits = Compress(FormattableString.Invariant($"bits: {tenths / 10.0}")).BitsPerWeight;
            Assert.InRange(bits, tenths / 10.0 * 0.99, tenths / 10.0);
        }
    }

    // 256 = 4^4: at one λ the groups of b have four bits more.
    [Fact]
    public void LayersGetBitsByTheirGradients()
    {
        Compress("bits: 4");
        Assert.Equal(4, Bits("b.weight") - Bits("a.weight"), 0.05);
    }

    [Fact]
    public void CachedLayersGiveTheSameFileAgain()
    {
        Compress("bits: 3");
        string hash = OutputHash();
        var again = Compress("bits: 3");
        Assert.Equal((0, 2, true), (again.CacheMisses, again.CacheHits, again.Unchanged));
        File.Delete(OutputPath);
        Assert.Equal(2, RunWell(cache: false, threads: 1).CacheMisses);
        Assert.Equal(hash, OutputHash());
    }

    [Fact]
    public void PreviewKnowsTheBitsOfTheLastRun()
    {
        Compress("bits: 3");
        Assert.True(Preview().UpToDate);

        // One layer's weights bear on the bits of all.
        Model(seed: 9).Write(ModelPath);
        var preview = Preview();
        Assert.False(preview.UpToDate);
        Assert.Equal(["weights", "the budget is spread anew over the groups of all layers"], preview.Layers.Take(2).Select(layer => layer.Why!.StartsWith("weights", StringComparison.Ordinal) ? "weights" : layer.Why));
    }

    [Fact]
    public void TooSmallABudgetIsAnError()
    {
        Recipe("budget: {bits: 0.1}\n" + Rest);
        Assert.Null(Run());
        Assert.Equal(Codes.BudgetTooSmall, Assert.Single(Diagnostics.Items).Code);
    }

    [Fact]
    public void WidthsAndGroupsOfWeightsAreNotCompared()
    {
        Recipe("budget: {bits: 4}\n" + Rest + "layers:\n- match: b.weight\n  method: higgs\n");
        Assert.Null(Run());
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.RecipeConflict, 8), (error.Code, error.Line));
    }

    [Fact]
    public void WidthsOfLayersCannotBeLimited()
    {
        Recipe("budget: {bits: 4}\nminBits: 3\n" + Rest);
        Assert.Null(Run());
        Assert.Equal(Codes.RecipeConflict, Assert.Single(Diagnostics.Items).Code);
    }

    // Costs that only inputs, or nothing, tell of are compared layer by layer, by what errors do.
    [Fact]
    public void WithoutGradientsLayersChooseWidthsInHalfBits()
    {
        Recipe("budget: {bits: 3.9}\nmethod: cvxq\ngroupSize: 64\nmaxBits: 5\n");
        RunWell();
        Assert.All([Bits("a.weight"), Bits("b.weight")], bits => Assert.Equal(0, (bits * 2) % 1, 1e-6));
        Assert.Equal(2 * 9, Entries().Length);
    }

    private static TestModel Model(int seed = 1, int columns = Columns) => new TestModel().AddGaussian("a.weight", Rows, columns, seed).AddGaussian("b.weight", Rows, columns, 2).Add("norm.weight", [4], 1f, 2f, 3f, 4f);

    // Of the codes alone.
    private double Bits(string name)
    {
        using var model = PackedModel.OpenFile(OutputPath);
        return (model[name].StoredBytes - (3.0 * Rows * Columns / GroupSize)) * 8 / (Rows * Columns);
    }

    private CompressionReport Compress(string budget)
    {
        Recipe($"budget: {{{budget}}}\n{Rest}");
        var report = RunWell();
        ReportWriter.Write(report, ReportPath);
        return report;
    }

    private Preview Preview()
    {
        var diagnostics = new DiagnosticBag();
        var preview = Core.Explaining.Preview.Make(
            new CompressionRequest(ModelPath, null, OutputPath) { Cache = new LayerCache(CachePath) }, LastRun.Read(ReportPath), diagnostics, CancellationToken.None);
        Assert.Empty(diagnostics.Items);
        return preview!;
    }

    private void WriteStatistics(float a, float b, int columns = Columns)
    {
        using var stream = File.Create(Path.Combine(Path.GetDirectoryName(ModelPath)!, "s.safetensors"));
        SafetensorsWriter.Write(
            stream, new Dictionary<string, string> { ["compress.statistics"] = """{"version":1,"tokens":100}""" }, [Gradients("a.weight", a), Gradients("b.weight", b)]);

        StoredArray Gradients(string layer, float value)
        {
            float[] values = new float[Rows * columns];
            Array.Fill(values, value);
            return new(layer + ".squaredGradients", DType.F32, [Rows, columns], 4L * values.Length, to => to.Write(MemoryMarshal.AsBytes<float>(values)));
        }
    }
}
