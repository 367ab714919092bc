using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Explaining;
using Compress.Core.Reports;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels;

namespace Compress.Core.Tests.Calibration;

/// <summary>A Llama of one layer, compressed by gradients that are taken again at the quantized weights.</summary>
public sealed class RoundsOfGradients : IDisposable
{
    private const string Rounds = "calibration: { text: t.ids, window: 10, rounds: 4 }\n", Layers = "layers:\n- match: '*_proj.weight'\n  method: cvxq\n  groupSize: 64\n  sensitivity: gradients\n", Bits = Layers + "  bits: 2.5\n";

    private readonly TinyLlama llama = new();
    private readonly DiagnosticBag diagnostics = new();

    public RoundsOfGradients()
    {
        llama.Write();
        File.WriteAllText(Path.Combine(llama.Folder, "t.ids"), string.Join(' ', Enumerable.Range(0, 200).Select(i => (i * i / 3) % 10)));
    }

    private string OutputPath => Path.Combine(llama.Folder, "out", "m.packed.safetensors");

    private string ReportPath => OutputPath + ".json";

    public void Dispose() => llama.Dispose();

    [Theory]
    [InlineData(Bits)]
    [InlineData("budget: { bits: 19 }\n" + Layers)]
    public void KeepTheOneThatIsBestOnWindowsThatAreHeldOut(string layers)
    {
        var report = Compress(layers + Rounds);
        var rounds = report.Rounds!;
        Assert.Equal(2 * 9, rounds.HeldOutTokens); // of 20 windows of 10 tokens the last two
        Assert.Equal(rounds.HeldOutKl.Min(), rounds.HeldOutKl[rounds.Kept - 1]);
        Assert.Equal(rounds.Kept > 1, report.Layers.Any(layer => layer.Key.Statistics.Contains("quantized=", StringComparison.Ordinal)));

        // Later rounds see other weights, and so other gradients.
        Assert.True(rounds.HeldOutKl.Distinct().Count() > 1);
        Assert.Null(Compress(layers + Rounds.Replace(", rounds: 4", "", StringComparison.Ordinal)).Rounds);
    }

    [Fact]
    public void CompressTheSecondTimeFromTheCache()
    {
        string recipe = Bits + Rounds;
        var first = Compress(recipe);
        ReportWriter.Write(first, ReportPath);
        Assert.True(Core.Explaining.Preview.Make(Request(recipe), LastRun.Read(ReportPath), diagnostics, CancellationToken.None)!.UpToDate);
        var again = Compress("# the same\n" + recipe);
        Assert.Equal((0, true), (again.CacheMisses, again.Unchanged));
        Assert.Equal(first.Rounds!.HeldOutKl, again.Rounds!.HeldOutKl);
    }

    [Fact]
    public void GiveTheSameOnAnyNumberOfThreadsAndWithoutACache()
    {
        string recipe = Bits + Rounds;
        var first = Compress(recipe);
        byte[] bytes = File.ReadAllBytes(OutputPath);
        var other = Compress(recipe, cache: false, threads: 1);
        Assert.Equal(first.Rounds!.HeldOutKl, other.Rounds!.HeldOutKl);
        Assert.Equal(bytes, File.ReadAllBytes(OutputPath));
    }

    [Theory]
    [InlineData("layers:\n- match: '*_proj.weight'\n  method: cvxq\n  sensitivity: inputs\n", "no method in use takes gradients")]
    [InlineData("budget: { bits: 20 }\nlayers:\n- match: '*_proj.weight'\n  choose:\n  - method: cvxq\n    sensitivity: gradients\n  - method: higgs\n", "the budget chooses from several ways")]
    public void AreRefusedWhereThereIsNothingToDoInThem(string rest, string problem)
    {
        Assert.Null(Compressor.Run(Request(Rounds + rest), diagnostics, null, CancellationToken.None));
        var error = Assert.Single(diagnostics.Items, item => item.Severity == Severity.Error);
        Assert.Equal((Codes.RecipeConflict, 1), (error.Code, error.Line));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    private CompressionRequest Request(string recipe, bool cache = true, int threads = 2)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(OutputPath)!);
        File.WriteAllText(Path.Combine(llama.Folder, "compress.yaml"), recipe);
        return new(llama.Folder, null, OutputPath) { Cache = cache ? new LayerCache(Path.Combine(llama.Folder, "cache")) : null, Threads = threads };
    }

    private CompressionReport Compress(string recipe, bool cache = true, int threads = 2)
    {
        var report = Compressor.Run(Request(recipe, cache, threads), diagnostics, null, CancellationToken.None);
        Assert.DoesNotContain(diagnostics.Items, item => item.Severity == Severity.Error);
        return report!;
    }
}
