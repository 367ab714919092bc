using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels;
using Compress.Runtime;

namespace Compress.Core.Tests.Recovery;

/// <summary>A Llama of one layer, compressed to few bits, and trained.</summary>
public sealed class RecoveredModel : IDisposable
{
    private const string Rule = "layers:\n- match: '*_proj.weight'\n  method: higgs\n  bits: 2\n  groupSize: 16\n", Recover = "recover: { text: t.ids, window: 16, steps: 16 }\n";

    private readonly TinyLlama llama = new();
    private readonly DiagnosticBag diagnostics = new();
    private readonly Progress progress = new();

    public RecoveredModel()
    {
        llama.Write();
        File.WriteAllText(Path.Combine(llama.Folder, "t.ids"), string.Join(' ', Enumerable.Range(0, 600).Select(i => i * i % 10)));
    }

    private string OutputPath => Path.Combine(llama.Folder, "out", "m.packed.safetensors");

    public void Dispose() => llama.Dispose();

    [Fact]
    public void PredictsWhatItsSourcePredictsMoreNearly()
    {
        var before = Compress(Rule);
        byte[] plain = File.ReadAllBytes(OutputPath);
        var after = Compress(Rule + Recover);
        var done = after.Recovery!;
        Assert.True(done.KlAfter < done.KlBefore, $"{done}");
        Assert.InRange(done.BestStep, 1, 16);
        Assert.Equal(16, done.Steps);
        Assert.True(done.HeldOutTokens > 0);
        Assert.Contains(Path.Combine(llama.Folder, "t.ids"), after.Files);

        // As many bytes, and the same codes.
        Assert.Equal(plain.Length, File.ReadAllBytes(OutputPath).Length);
        Assert.Equal(before.BitsPerWeight, after.BitsPerWeight);
        Assert.NotEqual(plain, File.ReadAllBytes(OutputPath));
    }

    [Fact]
    public void IsTrainedOnce()
    {
        var first = Compress(Rule + Recover);
        byte[] bytes = File.ReadAllBytes(OutputPath);
        File.Delete(OutputPath);
        progress.Steps = 0;
        var second = Compress(Rule + Recover);
        Assert.Equal((0, first.Recovery), (progress.Steps, second.Recovery));
        Assert.Equal(bytes, File.ReadAllBytes(OutputPath));
        Assert.True(Compress(Rule + Recover).Unchanged);
    }

    [Fact]
    public void IsTheSameForAnyNumberOfThreads()
    {
        int threads = RuntimeOptions.MaxThreads;
        try
        {
            RuntimeOptions.MaxThreads = 1;
            Compress(Rule + Recover, "cache-1");
            byte[] bytes = File.ReadAllBytes(OutputPath);
            RuntimeOptions.MaxThreads = 3;
            Compress(Rule + Recover, "cache-3");
            Assert.Equal(bytes, File.ReadAllBytes(OutputPath));
        }
        finally
        {
            RuntimeOptions.MaxThreads = threads;
        }
    }

    [Fact]
    public void GoesOnWhereItWasEndedAndComesToTheSame()
    {
        Compress(Rule + Recover, "whole");
        byte[] bytes = File.ReadAllBytes(OutputPath);
        using var cancelled = new CancellationTokenSource();
        progress.At = step =>
        {
            if (step == 9)
            {
                cancelled.Cancel();
            }
        };
        Assert.Throws<OperationCanceledException>(() => Run(Rule + Recover, "parts", cancelled.Token));
        progress.At = null;
        progress.Steps = 0;
        Compress(Rule + Recover, "parts");

        // It had been measured after step 8.
        Assert.Equal(8, progress.Steps);
        Assert.Equal(bytes, File.ReadAllBytes(OutputPath));
    }

    [Fact]
    public void StaysAsItWasWhereNothingIsBetter()
    {
        string fine = Rule.Replace("bits: 2", "bits: 8", StringComparison.Ordinal);
        Compress(fine);
        byte[] plain = File.ReadAllBytes(OutputPath);
        var report = Compress(fine + Recover.Replace("steps: 16", "steps: 3, learningRate: 1", StringComparison.Ordinal));
        Assert.Equal(0, report.Recovery!.BestStep);
        Assert.Equal(report.Recovery.KlBefore, report.Recovery.KlAfter);
        Assert.Equal(plain, File.ReadAllBytes(OutputPath));
    }

    [Fact]
    public void HasNoMoreStepsThanThereIsTimeFor()
    {
        var report = Compress(Rule + Recover.Replace("steps: 16", "steps: 1000000, time: 1 s", StringComparison.Ordinal));
        Assert.InRange(report.Recovery!.Steps, 1, 999_999);
    }

    [Fact]
    public void TakesTheTextOfTheCalibration() =>
        Assert.NotNull(Compress(Rule + "calibration: { text: t.ids }\nrecover: { steps: 1, window: 16 }\n").Recovery);

    [Fact]
    public void OfAnotherNumberOfStepsIsAnother()
    {
        Compress(Rule + Recover);
        byte[] bytes = File.ReadAllBytes(OutputPath);
        Compress(Rule + Recover.Replace("steps: 16", "steps: 8", StringComparison.Ordinal));
        Assert.NotEqual(bytes, File.ReadAllBytes(OutputPath));
    }

    [Theory]
    [InlineData("recover: { steps: 10 }\n", Codes.RecipeMissingKey, 6)]
    [InlineData("recover: { text: t.ids, steps: 0 }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, time: 10 }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, time: 5 parsecs }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, learningRate: 2 }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, rounds: 2 }\n", Codes.RecipeUnknownKey, 6)]
    [InlineData("recover: { text: none.ids }\n", Codes.TokenizerNotReadable, 6)]
    [InlineData("recover: { text: t.ids, window: 5000 }\n", Codes.EvaluationText, 6)]
    public void NeedsWhatItNeeds(string recover, string code, int line)
    {
        Assert.Null(Run(Rule + recover, "cache", CancellationToken.None));
        var error = Assert.Single(diagnostics.Items);
        Assert.Equal((code, line), (error.Code, error.Line));
        Assert.Contains("compress.yaml", error.File, StringComparison.Ordinal);
    }

    [Fact]
    public void IsALanguageModel()
    {
        File.Delete(llama.ConfigFile);
        Assert.Null(Run(Rule + Recover, "cache", CancellationToken.None));
        Assert.Equal((Codes.LanguageModelConfig, 6), (diagnostics.Items[^1].Code, diagnostics.Items[^1].Line));
    }

    [Fact]
    public void HasSomethingToTrain()
    {
        Assert.Null(Run("layers:\n- match: '*norm*'\n  method: cvxq\n- match: '*'\n  keep: source\n" + Recover, "cache", CancellationToken.None));
        Assert.Equal((Codes.RecipeConflict, 6), (diagnostics.Items[^1].Code, diagnostics.Items[^1].Line));
    }

    private CompressionReport Compress(string recipe, string cache = "cache")
    {
        var report = Run(recipe, cache, CancellationToken.None);
        Assert.Empty(diagnostics.Items);
        return report!;
    }

    private CompressionReport? Run(string recipe, string cache, CancellationToken cancellationToken)
    {
        File.WriteAllText(Path.Combine(llama.Folder, "compress.yaml"), recipe);
        Directory.CreateDirectory(Path.GetDirectoryName(OutputPath)!);
        return Compressor.Run(
            new(llama.Folder, Path.Combine(llama.Folder, "compress.yaml"), OutputPath) { Cache = new LayerCache(Path.Combine(llama.Folder, cache)), Threads = 2 },
            diagnostics, progress, cancellationToken);
    }

    private sealed class Progress : IProgress<CompressionProgress>
    {
        public int Steps { get; set; }

        public Action<int>? At { get; set; }

        public void Report(CompressionProgress value)
        {
            if (value.Recovery is { } recovery)
            {
                Steps++;
                At?.Invoke(recovery.Step);
            }
        }
    }
}
