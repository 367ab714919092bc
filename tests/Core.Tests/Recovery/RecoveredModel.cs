using Compress.Core.Diagnostics;
using Compress.Runtime;

namespace Compress.Core.Tests.Recovery;

/// <summary>A Llama of one layer, compressed to few bits, and trained.</summary>
public sealed class RecoveredModel : IDisposable
{
    private const string Rule = RecoveryTrial.Rule, Recover = "recover: { text: t.ids, window: 16, steps: 16 }\n";

    private readonly RecoveryTrial trial = new(layers: 1);

    public void Dispose() => trial.Dispose();

    [Fact]
    public void PredictsWhatItsSourcePredictsMoreNearly()
    {
        var before = trial.Compress(Rule);
        byte[] plain = trial.Bytes;
        var after = trial.Compress(Rule + Recover);
        var done = after.Recovery!;
        Assert.True(done.KlAfter < done.KlBefore, $"{done}");
        Assert.InRange(done.BestStep, 1, 16);
        Assert.Equal(16, done.Steps);
        Assert.True(done.HeldOutTokens > 0);
        Assert.Contains(Path.Combine(trial.Llama.Folder, "t.ids"), after.Files);

        // As many bytes, and the same codes.
        Assert.Equal(plain.Length, trial.Bytes.Length);
        Assert.Equal(before.BitsPerWeight, after.BitsPerWeight);
        Assert.NotEqual(plain, trial.Bytes);
    }

    [Theory]
    [InlineData("method: kmeans\n  bits: 2")]
    [InlineData("method: cvxq\n  bits: 2\n  groupSize: 64")]
    [InlineData("prune: { sparsity: 70% }\n  keep: float16")]
    [InlineData("prune: { pattern: 1:4 }\n  method: kmeans\n  bits: 2")]
    [InlineData("method: hashed\n  share: 2")]
    [InlineData("lowrank: { rank: 3 }\n  keep: float16")]
    [InlineData("lowrank: { rank: 1, of: residual }\n  method: uniform\n  bits: 2\n  groupSize: 16")]
    public void IsNearerByWhateverMethod(string method)
    {
        var report = trial.Compress($"layers:\n- match: '*_proj.weight'\n  {method}\n" + Recover).Recovery!;
        Assert.True(report.KlAfter < 0.9 * report.KlBefore, $"{report.KlBefore} -> {report.KlAfter}");
    }

    [Fact]
    public void IsTrainedOnce()
    {
        var first = trial.Compress(Rule + Recover);
        byte[] bytes = trial.Bytes;
        File.Delete(trial.OutputPath);
        trial.Steps = 0;
        var second = trial.Compress(Rule + Recover);
        Assert.Equal((0, first.Recovery), (trial.Steps, second.Recovery));
        Assert.Equal(bytes, trial.Bytes);
        Assert.True(trial.Compress(Rule + Recover).Unchanged);
    }

    [Fact]
    public void IsTheSameForAnyNumberOfThreads()
    {
        int threads = RuntimeOptions.MaxThreads;
        try
        {
            RuntimeOptions.MaxThreads = 1;
            trial.Compress(Rule + Recover, "cache-1");
            byte[] bytes = trial.Bytes;
            RuntimeOptions.MaxThreads = 3;
            trial.Compress(Rule + Recover, "cache-3");
            Assert.Equal(bytes, trial.Bytes);
        }
        finally
        {
            RuntimeOptions.MaxThreads = threads;
        }
    }

    [Fact]
    public void GoesOnWhereItWasEndedAndComesToTheSame()
    {
        trial.Compress(Rule + Recover, "whole");
        byte[] bytes = trial.Bytes;
        using var cancelled = new CancellationTokenSource();
        trial.At = step =>
        {
            if (step.Step == 9)
            {
                cancelled.Cancel();
            }
        };
        Assert.Throws<OperationCanceledException>(() => trial.Run(Rule + Recover, "parts", cancelled.Token));
        trial.At = null;
        trial.Steps = 0;
        trial.Compress(Rule + Recover, "parts");

        // It had been measured after step 8.
        Assert.Equal(8, trial.Steps);
        Assert.Equal(bytes, trial.Bytes);
    }

    [Fact]
    public void StaysAsItWasWhereNothingIsBetter()
    {
        string fine = Rule.Replace("bits: 2", "bits: 8", StringComparison.Ordinal);
        trial.Compress(fine);
        byte[] plain = trial.Bytes;
        var report = trial.Compress(fine + Recover.Replace("steps: 16", "steps: 3, learningRate: 1", StringComparison.Ordinal));
        Assert.Equal(0, report.Recovery!.BestStep);
        Assert.Equal(report.Recovery.KlBefore, report.Recovery.KlAfter);
        Assert.Equal(plain, trial.Bytes);
    }

    [Fact]
    public void HasNoMoreStepsThanThereIsTimeFor()
    {
        var report = trial.Compress(Rule + Recover.Replace("steps: 16", "steps: 1000000, time: 1 s", StringComparison.Ordinal));
        Assert.InRange(report.Recovery!.Steps, 1, 999_999);
    }

    [Fact]
    public void TakesTheTextOfTheCalibration() =>
        Assert.NotNull(trial.Compress(Rule + "calibration: { text: t.ids }\nrecover: { steps: 1, window: 16 }\n").Recovery);

    [Fact]
    public void OfAnotherNumberOfStepsIsAnother()
    {
        trial.Compress(Rule + Recover);
        byte[] bytes = trial.Bytes;
        trial.Compress(Rule + Recover.Replace("steps: 16", "steps: 8", StringComparison.Ordinal));
        Assert.NotEqual(bytes, trial.Bytes);
    }

    [Theory]
    [InlineData("recover: { steps: 10 }\n", Codes.RecipeMissingKey, 6)]
    [InlineData("recover: { text: t.ids, steps: 0 }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, blocks: 3 }\n", Codes.RecipeWrongType, 6)]
    [InlineData("recover: { text: t.ids, blocks: { steps: 0 } }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, blocks: { time: 5 parsecs } }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, blocks: { learningRate: 0 } }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, blocks: { window: 16 } }\n", Codes.RecipeUnknownKey, 6)]
    [InlineData("recover: { text: t.ids, time: 10 }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, time: 5 parsecs }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, learningRate: 2 }\n", Codes.RecipeBadValue, 6)]
    [InlineData("recover: { text: t.ids, rounds: 2 }\n", Codes.RecipeUnknownKey, 6)]
    [InlineData("recover: { text: none.ids }\n", Codes.TokenizerNotReadable, 6)]
    [InlineData("recover: { text: t.ids, window: 5000 }\n", Codes.EvaluationText, 6)]
    public void NeedsWhatItNeeds(string recover, string code, int line)
    {
        Assert.Null(trial.Run(Rule + recover, "cache", CancellationToken.None));
        var error = Assert.Single(trial.Diagnostics.Items);
        Assert.Equal((code, line), (error.Code, error.Line));
        Assert.Contains("compress.yaml", error.File, StringComparison.Ordinal);
    }

    [Fact]
    public void IsALanguageModel()
    {
        File.Delete(trial.Llama.ConfigFile);
        Assert.Null(trial.Run(Rule + Recover, "cache", CancellationToken.None));
        Assert.Equal((Codes.LanguageModelConfig, 6), (trial.Diagnostics.Items[^1].Code, trial.Diagnostics.Items[^1].Line));
    }

    [Fact]
    public void HasSomethingToTrain()
    {
        Assert.Null(trial.Run("layers:\n- match: '*norm*'\n  method: cvxq\n  grouping: clusters\n- match: '*'\n  keep: source\n" + Recover, "cache", CancellationToken.None));
        Assert.Equal((Codes.RecipeConflict, 7), (trial.Diagnostics.Items[^1].Code, trial.Diagnostics.Items[^1].Line));
    }
}
