using System.Text.Json;
using Compress.Runtime;

namespace Compress.Core.Tests.Recovery;

/// <summary>A Llama of three layers, compressed to few bits, and trained block by block.</summary>
public sealed class RecoveredBlocks : IDisposable
{
    private const string Rule = RecoveryTrial.Rule, Recover = "recover: { text: t.ids, window: 16, steps: 0, blocks: { steps: 16, learningRate: 0.02 } }\n";

    private const int Steps = 3 * 16;

    private readonly RecoveryTrial trial = new(layers: 3);

    public void Dispose() => trial.Dispose();

    [Fact]
    public void GiveMoreNearlyWhatTheirSourcesGive()
    {
        var before = trial.Compress(Rule);
        byte[] plain = trial.Bytes;
        var told = new List<(int, int)>();
        trial.At = step => told.Add((step.Block, step.Step));
        var done = trial.Compress(Rule + Recover).Recovery!;
        Assert.Equal(3, done.Blocks!.Count);
        Assert.All(done.Blocks, block =>
        {
            Assert.Equal(16, block.Steps);
            Assert.InRange(block.BestStep, 1, 16);
            Assert.InRange(block.ErrorAfter, 0, 0.97 * block.ErrorBefore);
        });
        Assert.True(done.KlAfter < done.KlBefore, $"{done}");
        Assert.Equal(done.KlAfterBlocks, done.KlAfter);
        Assert.Equal(Enumerable.Range(0, Steps).Select(i => (1 + (i / 16), 1 + i)), told);

        // As many bytes; other numbers in them.
        Assert.Equal(plain.Length, trial.Bytes.Length);
        Assert.NotEqual(plain, trial.Bytes);
    }

    // The same number of steps as a whole, from what blocks came to.
    [Fact]
    public void AreABeginningForTheModelAsAWhole()
    {
        const string Whole = "recover: { text: t.ids, window: 16, steps: 16, learningRate: 0.02 }\n";
        double alone = trial.Compress(Rule + Whole).Recovery!.KlAfter;
        var both = trial.Compress(Rule + Whole.Replace("steps: 16", "steps: 16, blocks: { steps: 16, learningRate: 0.02 }", StringComparison.Ordinal)).Recovery!;
        Assert.True(both.KlAfter < both.KlAfterBlocks && both.KlAfterBlocks < both.KlBefore && both.KlAfter < alone, $"{both}, alone {alone}");
        Assert.InRange(both.BestStep, 1, 16);
    }

    [Fact]
    public void AreTrainedOnce()
    {
        var first = trial.Compress(Rule + Recover);
        byte[] bytes = trial.Bytes;
        File.Delete(trial.OutputPath);
        trial.Steps = 0;
        var second = trial.Compress(Rule + Recover);
        Assert.Equal((0, JsonSerializer.Serialize(first.Recovery)), (trial.Steps, JsonSerializer.Serialize(second.Recovery)));
        Assert.Equal(bytes, trial.Bytes);
        Assert.True(trial.Compress(Rule + Recover).Unchanged);
    }

    [Fact]
    public void AreTheSameForAnyNumberOfThreads()
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

    // In the second block after its ninth step: the first is done, and the second was measured after its eighth.
    [Fact]
    public void GoOnWhereTheyWereEndedAndComeToTheSame()
    {
        trial.Compress(Rule + Recover, "whole");
        byte[] bytes = trial.Bytes;
        using var cancelled = new CancellationTokenSource();
        trial.At = step =>
        {
            if (step is { Block: 2, Step: 16 + 9 })
            {
                cancelled.Cancel();
            }
        };
        Assert.Throws<OperationCanceledException>(() => trial.Run(Rule + Recover, "parts", cancelled.Token));
        trial.At = null;
        trial.Steps = 0;
        trial.Compress(Rule + Recover, "parts");
        Assert.Equal(Steps - 16 - 8, trial.Steps);
        Assert.Equal(bytes, trial.Bytes);
    }

    [Fact]
    public void AreNotTrainedAgainForWhatComesAfterThem()
    {
        string other = Rule.Replace("layers:\n", "layers:\n- match: '*.2.mlp.up_proj.weight'\n  method: higgs\n  bits: 3\n", StringComparison.Ordinal);
        trial.Compress(Rule + Recover);
        trial.Steps = 0;
        trial.Compress(other + Recover);
        Assert.Equal(16, trial.Steps);
        byte[] bytes = trial.Bytes;
        trial.Compress(other + Recover, "anew");
        Assert.Equal(bytes, trial.Bytes);
    }

    [Fact]
    public void StayAsTheyWereWhereNothingIsBetter()
    {
        string fine = Rule.Replace("bits: 2", "bits: 8", StringComparison.Ordinal);
        trial.Compress(fine);
        byte[] plain = trial.Bytes;
        var done = trial.Compress(fine + Recover.Replace("steps: 16, learningRate: 0.02", "steps: 3, learningRate: 1", StringComparison.Ordinal)).Recovery!;
        Assert.All(done.Blocks!, block => Assert.Equal((0, block.ErrorBefore), (block.BestStep, block.ErrorAfter)));
        Assert.True(done.MadeNothingBetter);
        Assert.Equal(plain, trial.Bytes);
    }

    [Fact]
    public void HaveNoMoreStepsThanThereIsTimeFor()
    {
        var done = trial.Compress(Rule + Recover.Replace("steps: 16", "steps: 1000000, time: 1 s", StringComparison.Ordinal)).Recovery!;
        Assert.All(done.Blocks!, block => Assert.InRange(block.Steps, 1, 999_999));
    }

    [Fact]
    public void AreNoneWhereNothingOfThemCanBeTrained()
    {
        var done = trial.Compress("layers:\n- match: '*.0.*'\n  keep: float16\n- match: '*_proj.weight'\n  method: uniform\n  bits: 3\n" + Recover).Recovery!;
        Assert.Equal([0, 16, 16], done.Blocks!.Select(block => block.Steps));
    }
}
