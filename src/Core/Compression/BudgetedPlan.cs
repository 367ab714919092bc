using System.Globalization;
using Compress.Core.Allocation;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Runtime;

namespace Compress.Core.Compression;

/// <summary>
/// Spreads a budget over the layers of a plan. Every layer is encoded in every way that its rule allows; each way's error is measured, its size known;
/// the layers' sensitivities make the errors comparable; and <see cref="ExactAllocation"/> chooses.
/// </summary>
internal sealed class BudgetedPlan
{
    // Enough to settle what a solution's tables and names take of the file.
    private const int MaxRounds = 8;

    private readonly ModelFile model;
    private readonly Recipe recipe;
    private readonly Budget budget;
    private readonly int[] first;

    /// <param name="recipe">A recipe with a budget.</param>
    /// <param name="plan">What it says of each tensor.</param>
    /// <param name="model">The model.</param>
    public BudgetedPlan(Recipe recipe, IReadOnlyList<LayerPlan> plan, ModelFile model)
    {
        (this.recipe, this.model) = (recipe, model);
        budget = recipe.Budget!;
        var candidates = new List<LayerPlan>();
        first = new int[plan.Count + 1];
        for (int layer = 0; layer < plan.Count; layer++)
        {
            first[layer] = candidates.Count;
            var (tensor, treatment) = plan[layer];
            if (treatment is Treatment.Compress { Widths.Value: { Count: > 0 } widths } compress)
            {
                candidates.AddRange(widths.Select(encoder => new LayerPlan(tensor, compress with { Encoder = encoder })));
            }
            else
            {
                candidates.Add(plan[layer]);
            }
        }

        first[^1] = candidates.Count;
        Candidates = candidates;
    }

    /// <summary>Every way to store every tensor, the ways of one tensor next to each other.</summary>
    public IReadOnlyList<LayerPlan> Candidates { get; }

    /// <summary>Chooses.</summary>
    /// <param name="results">Of all candidates.</param>
    /// <param name="cache">Where sensitivities are kept, or null.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>For each tensor the candidate chosen; and what the choice follows from.</returns>
    /// <exception cref="CompressException">The budget is too small.</exception>
    public (int[] Chosen, AllocationReport Report) Choose(TensorResult[] results, EvaluationCache? cache, CancellationToken cancellationToken)
    {
        int layers = first.Length - 1;
        bool[] isFree = [.. Enumerable.Range(0, layers).Select(layer => first[layer + 1] - first[layer] > 1)];
        var (sensitivities, metric) = Measure(isFree, results, cache, cancellationToken);
        Choice[][] choices = [.. Enumerable.Range(0, layers).Select(layer => Enumerable.Range(first[layer], first[layer + 1] - first[layer])
            .Select(i => new Choice(OwnBytes(results[i]), isFree[layer] ? sensitivities[layer].Alpha * results[i].Error.RelativeMse : 0)).ToArray())];

        // What a solution takes besides the arrays of its layers is known only when there is one.
        long limit = Limit(results), others = 0;
        int[]? best = null;
        for (int round = 0; round < MaxRounds; round++)
        {
            int[]? solution = ExactAllocation.Solve(choices, limit - others);
            if (solution is null)
            {
                break;
            }

            int[] chosen = [.. solution.Select((choice, layer) => first[layer] + choice)];
            var picked = chosen.Select(i => results[i]).ToList();
            long total = Total(picked), now = total - picked.Sum(OwnBytes);
            if (total <= limit && (best is null || Cost(chosen) <= Cost(best)))
            {
                best = chosen;
            }

            if (now == others)
            {
                break;
            }

            others = now;
        }

        if (best is null)
        {
            throw TooSmall(results);
        }

        return (best, Report(best));

        double Cost(int[] chosen) => chosen.Select((i, layer) => choices[layer][i - first[layer]].Cost).Sum();

        AllocationReport Report(int[] chosen) => new(
            budget.ToString(),
            metric,
            Cost(chosen),
            [.. Enumerable.Range(0, layers).Where(layer => isFree[layer]).Select(layer => new LayerAllocation(
                results[chosen[layer]].Entry.Name, sensitivities[layer].Alpha, sensitivities[layer].StandardError, results[chosen[layer]].Error.RelativeMse))]);
    }

    private (Sensitivity[] Sensitivities, string Metric) Measure(bool[] isFree, TensorResult[] results, EvaluationCache? cache, CancellationToken cancellationToken)
    {
        var all = new Sensitivity[isFree.Length];
        LanguageModel? language = null;
        try
        {
            language = LanguageModel.Open(model);
        }
        catch (CompressException exception) when (exception.Diagnostic.Code != Codes.ModelChanged)
        {
            // No language model that we can run: weights of equal size are taken to be of equal worth.
        }

        var probes = language is null ? null : new Sensitivities(model, language, cache);
        for (int layer = 0; layer < isFree.Length; layer++)
        {
            var result = results[first[layer]];
            if (isFree[layer])
            {
                all[layer] = probes is not null && language!.TensorNames.Contains(result.Entry.Name)
                    ? probes.Of(result.Entry.Name, cancellationToken)
                    : new(result.Error.WeightEnergy, 0, false);
            }
        }

        return (all, probes is null ? "weights" : "kl");
    }

    // Bytes that only this tensor takes: tables may serve several.
    private static long OwnBytes(TensorResult result) => result.Entry.Arrays.Where(array => !array.Name.StartsWith(PackedFormat.Separator, StringComparison.Ordinal)).Sum(array => array.ByteLength);

    private long Limit(TensorResult[] results) => budget.Bytes ?? (long)Math.Floor(budget.BitsPerWeight!.Value / 8 * Weights(results));

    private double Weights(IReadOnlyList<TensorResult> results) =>
        results.Where(result => result.Cache != CacheUse.Kept).DistinctBy(result => result.Entry.Name).Sum(result => (double)model[result.Entry.Name].Count);

    private long Total(List<TensorResult> picked) => budget.Bytes is not null
        ? PackedOutput.Length(picked)
        : picked.Where(result => result.Cache != CacheUse.Kept).SelectMany(result => result.Entry.Arrays).DistinctBy(array => array.Name).Sum(array => array.ByteLength);

    private CompressException TooSmall(TensorResult[] results)
    {
        var least = Enumerable.Range(0, first.Length - 1)
            .Select(layer => Enumerable.Range(first[layer], first[layer + 1] - first[layer]).Select(i => results[i]).MinBy(OwnBytes)!).ToList();
        long bytes = Total(least);
        string needed = budget.Bytes is null
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes * 8 / Weights(results):0.000} bits per weight")
            : string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");
        return new(new Diagnostic(
            Codes.BudgetTooSmall,
            Severity.Error,
            $"the budget is {budget}, and the least that these rules allow is {needed}; raise it, or let rules that keep layers or give them bits go",
            recipe.File,
            budget.Position.Line,
            budget.Position.Column));
    }
}
