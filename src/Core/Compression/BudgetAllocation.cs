using Compress.Core.Allocation;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>Spreads a budget over layers: measures what their errors cost, chooses, and afterwards compares what was predicted with what is measured.</summary>
internal sealed class BudgetAllocation(BudgetedPlan plan, Recipe recipe, ModelFile model, EvaluationCache? cache, DiagnosticBag diagnostics)
{
    // What each layer costs alone is measured on a part of the text: it takes a pass for each.
    private const int MeasuredTokens = 2048, MeasuredWindow = 256;

    private AllocationReport? predicted;

    /// <summary>The absolute paths of the files read besides model and recipe.</summary>
    public IReadOnlyList<string> Files { get; private set; } = [];

    /// <summary>Chooses.</summary>
    /// <param name="results">Of all candidates of the plan.</param>
    /// <param name="progress">Told how far the measurement of costs is.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>For each tensor the candidate chosen.</returns>
    /// <exception cref="CompressException">The budget is too small, or costs cannot be measured as the recipe says.</exception>
    /// <exception cref="Caching.EntryGoneException">Somebody removed a cache entry since it was found.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public int[] Choose(TensorResult[] results, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var costs = new LayerCosts(model, recipe, cache, diagnostics);
        plan.CountsAllErrors = costs.RunsModel;
        var layers = plan.Layers(results);
        var table = costs.Measure(layers, progress, cancellationToken);
        var (chosen, kl) = table.Joint is { } joint
            ? Best(results, layers, table, joint, progress, cancellationToken)
            : (plan.Choose(results, table.Costs), null);
        Files = table.Files;
        predicted = plan.Report(results, chosen, table, kl);
        if (plan.Beyond(predicted) is { } beyond)
        {
            diagnostics.Add(beyond);
        }

        return chosen;
    }

    /// <summary>What was predicted, and what was measured if the recipe's gate has a text.</summary>
    /// <param name="results">The tensors in the forms chosen.</param>
    /// <param name="evaluations">What the gate measured.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public AllocationReport Report(TensorResult[] results, IReadOnlyList<EvaluationResult> evaluations, CancellationToken cancellationToken)
    {
        var report = predicted!;
        if (report.Probe is null || evaluations.FirstOrDefault(result => result.Packed is not null) is not { } total)
        {
            return report;
        }

        string path = total.Settings.Text;
        var language = LanguageModel.Open(model);
        var names = language.TensorNames.ToHashSet(StringComparer.Ordinal);
        var packed = results.ToDictionary(result => result.Entry.Name);
        var probed = report.Layers.Where(layer => layer.RelativeMse > 0 && names.Contains(layer.Name)).ToList();
        var probes = probed.ConvertAll(layer =>
            (Probe)new GridProbe(model[layer.Name], layer.RelativeMse, packed[layer.Name].Key.Digest, () => PackedForm.Open(packed[layer.Name].Entry)));
        var costs = new ProbeRun(model, language, Text(language, total.Settings), recipe.Budget!.Sensitivity, cache).Measure(probes, null, cancellationToken);
        var measured = probed.Zip(costs).ToDictionary(pair => pair.First.Name, pair => new MeasuredIncrease(path, pair.Second.LnPerplexity, pair.Second.Kl));
        return report with
        {
            Measured = new(path, total.Packed!.Value.Mean - total.Source.Mean, total.Kl),
            Layers = [.. report.Layers.Select(layer => layer with { Measured = measured.GetValueOrDefault(layer.Name) })],
        };
    }

    // The choice by the costs of layers alone is right if these add up. Others are tried against it, all on the same tokens, by what they cost as a whole.
    private (int[] Chosen, double? Kl) Best(
        TensorResult[] results, IReadOnlyList<LayerForms> layers, CostTable table, JointRun joint, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var choices = Shrinkage.Shares.Select(share => plan.Choose(results, Shrinkage.Shrink(layers, table.Costs, share)))
            .DistinctBy(chosen => string.Join(',', chosen)).ToList();
        var costs = joint.Measure(choices.ConvertAll(chosen => plan.Forms(results, chosen)), progress, cancellationToken);
        bool byPerplexity = recipe.Budget!.Sensitivity.Metric == SensitivityMetric.Perplexity;
        int best = Enumerable.Range(0, choices.Count).MinBy(i => (byPerplexity ? costs[i].LnPerplexity : costs[i].Kl) is var cost && double.IsNaN(cost) ? double.PositiveInfinity : cost);
        return (choices[best], costs[best].Kl);
    }

    // The beginnings of windows from all of the text.
    private ProbeText Text(LanguageModel language, EvaluationSettings settings)
    {
        var windows = TextTokens.Read(settings, Path.GetDirectoryName(model.Header.Files[0])!, language.MaxPositions, language.VocabularySize).Windows;
        int count = Math.Clamp(MeasuredTokens / MeasuredWindow, 1, windows.Count);
        return new(
            [.. Enumerable.Range(0, count).Select(i => windows[(int)((long)i * windows.Count / count)].Tokens).Select(tokens => tokens[..Math.Min(tokens.Length, MeasuredWindow)])],
            IsText: true, []);
    }
}
