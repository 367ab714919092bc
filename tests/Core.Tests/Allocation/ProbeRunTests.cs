using Compress.Core.Allocation;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.Allocation;

public sealed class ProbeRunTests : IDisposable
{
    private static readonly int[][] Windows = [.. Enumerable.Range(0, 8).Select(w => Enumerable.Range(0, 11 + w).Select(i => ((i * i) + w) % 50).ToArray())];

    private readonly ModelFile source;
    private readonly LanguageModel model;

    public ProbeRunTests()
    {
        source = ModelFile.Open(Path.Combine(Assets.LanguageModels, "llama"));
        model = LanguageModel.Open(source);
    }

    public void Dispose() => source.Dispose();

    // The evaluator runs all of both models; a probe only the layers from the changed one on.
    [Fact]
    public void GivesWhatTheEvaluatorMeasuresForEveryTensor()
    {
        var names = model.TensorNames.Where(name => source[name].Shape.Count == 2).Order(StringComparer.Ordinal).ToList();
        var probes = names.ConvertAll(Probe (name) => new NoiseProbe(source[name], 0.02, 3));
        var costs = Measure(probes, new() { StandardError = 1e-9 });
        var changed = LanguageModel.Open(source);
        foreach (var (probe, cost) in probes.Zip(costs))
        {
            changed.UseValues(probe.Tensor, probe.Changed(mirrored: false));
            var plus = Compared();
            changed.UseValues(probe.Tensor, probe.Changed(mirrored: true));
            var minus = Compared();
            changed.Use(probe.Tensor, null);
            Assert.True(cost.Kl > 0, probe.Tensor);
            Assert.Equal(plus.Kl, cost.Kl, 1e-9 * plus.Kl);
            Assert.Equal(((plus.Packed.Mean + minus.Packed.Mean) / 2) - plus.Source.Mean, cost.LnPerplexity, 1e-9);
            Assert.Equal(plus.Source.Tokens, cost.Tokens);
        }

        ComparedSums Compared() => Evaluator.Compare(model, changed, [.. Windows.Select(tokens => new TokenWindow(tokens, 1))], null, CancellationToken.None);
    }

    [Fact]
    public void UsesNoMoreWindowsThanItMust()
    {
        Probe probe = new NoiseProbe(source["model.layers.1.mlp.up_proj.weight"], 0.02, 3);
        long all = Windows.Sum(window => window.Length - 1), four = Windows.Take(4).Sum(window => window.Length - 1);
        Assert.Equal(four, Measure([probe], new() { StandardError = 1 })[0].Tokens);
        Assert.Equal(all, Measure([probe], new() { StandardError = 1e-9 })[0].Tokens);
        var some = Measure([probe], new() { StandardError = Measure([probe], new() { StandardError = 1 })[0] is var first ? 0.9 * first.KlError / first.Kl : 0 })[0];
        Assert.InRange(some.Tokens, four + 1, all);
    }

    [Fact]
    public void OnRandomTokensThereIsNoPerplexity()
    {
        var cost = new ProbeRun(source, model, new(Windows, IsText: false, []), new(), cache: null).Measure([new NoiseProbe(source["model.layers.1.mlp.up_proj.weight"], 0.02, 3)], null, CancellationToken.None)[0];
        Assert.True(double.IsNaN(cost.LnPerplexity));
        Assert.True(cost.Kl > 0);
    }

    [Fact]
    public void DoesNotDependOnThreadsNorOnOtherProbes()
    {
        Probe[] probes = [new NoiseProbe(source["model.layers.1.mlp.up_proj.weight"], 0.02, 3), new NoiseProbe(source["model.embed_tokens.weight"], 0.01, 1)];
        var together = Measure(probes, new());
        int threads = RuntimeOptions.MaxThreads;
        try
        {
            RuntimeOptions.MaxThreads = 1;
            Assert.Equal(together[0], Measure([probes[0]], new())[0]);
            RuntimeOptions.MaxThreads = 3;
            Assert.Equal(together[1], Measure([probes[1]], new())[0]);
        }
        finally
        {
            RuntimeOptions.MaxThreads = threads;
        }
    }

    // Σk/Σn of (1, 10) and (5, 20) is 0.2; residuals −1 and 1: √(2 · 2 / 1) / 30.
    [Fact]
    public void StandardErrorIsThatOfARatioOfSums()
    {
        var sums = new WindowSums();
        sums.Add(1, 0.5, 10);
        sums.Add(5, 1, 20);
        var cost = sums.Result(0.01);
        Assert.Equal((0.2, 2.0 / 30, 30), (cost.Kl, cost.KlError, cost.Tokens));
        Assert.Equal((0.05, 0), (cost.LnPerplexity, Math.Round(cost.LnPerplexityError, 12)));
    }

    private ProbeCost[] Measure(IReadOnlyList<Probe> probes, SensitivitySettings settings) =>
        new ProbeRun(source, model, new(Windows, IsText: true, []), settings, cache: null).Measure(probes, null, CancellationToken.None);
}
