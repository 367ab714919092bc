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
    private readonly int[][] units;

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
            candidates.AddRange(treatment is Treatment.Choose choose
                ? choose.Options.Select(option => new LayerPlan(tensor, Plan.NotWidened(tensor, option)))
                : [plan[layer]]);
        }

        units = Units(plan);
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
        bool[] isFree = [.. Enumerable.Range(0, layers).Select(layer => Ways(layer).Any(i => results[i].Key != results[first[layer]].Key))];
        var (sensitivities, metric) = Measure(isFree, results, cache, cancellationToken);
        double[] costs = new double[results.Length];
        foreach (int layer in Enumerable.Range(0, layers).Where(layer => isFree[layer]))
        {
            foreach (int i in Ways(layer))
            {
                costs[i] = sensitivities[layer].Alpha * results[i].Error.RelativeMse;
            }
        }

        Choice[][] choices = [.. units.Select(unit => Enumerable.Range(0, first[unit[0] + 1] - first[unit[0]])
            .Select(way => new Choice(unit.Sum(layer => OwnBytes(results[first[layer] + way])), unit.Sum(layer => costs[first[layer] + way]))).ToArray())];

        // What a solution takes besides the arrays of its layers is known only when there is one.
        long limit = Limit(results), others = 0;
        int[]? best = null;
        var compressed = Compressed(results).ToHashSet(StringComparer.Ordinal);
        for (int round = 0; round < MaxRounds; round++)
        {
            int[]? solution = ExactAllocation.Solve(choices, limit - others);
            if (solution is null)
            {
                break;
            }

            int[] chosen = new int[layers];
            foreach (var (unit, way) in units.Zip(solution))
            {
                Array.ForEach(unit, layer => chosen[layer] = first[layer] + way);
            }

            var picked = chosen.Select(i => results[i]).ToList();
            long total = Total(picked, compressed), now = total - picked.Sum(OwnBytes);
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

        double Cost(int[] chosen) => chosen.Sum(i => costs[i]);

        AllocationReport Report(int[] chosen) => new(
            budget.ToString(),
            metric,
            Cost(chosen),
            [.. Enumerable.Range(0, layers).Where(layer => isFree[layer]).Select(layer => new LayerAllocation(
                results[chosen[layer]].Entry.Name, sensitivities[layer].Alpha, sensitivities[layer].StandardError, results[chosen[layer]].Error.RelativeMse))]);
    }

    // Layers that share one choice, and each of the others by itself.
    private static int[][] Units(IReadOnlyList<LayerPlan> plan) => [.. Enumerable.Range(0, plan.Count)
        .GroupBy(layer => plan[layer].Treatment is Treatment.Choose { Group: { } group } choose && group.Of(plan[layer].Tensor.Name) is { } name
            ? ((object)choose.Options, name)
            : (layer, ""))
        .Select(unit => unit.ToArray())];

    private IEnumerable<int> Ways(int layer) => Enumerable.Range(first[layer], first[layer + 1] - first[layer]);

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

    private double Weights(IReadOnlyList<TensorResult> results) => Compressed(results).Sum(name => (double)model[name].Count);

    private static IEnumerable<string> Compressed(IReadOnlyList<TensorResult> results) =>
        results.Where(result => result.Cache != CacheUse.Kept).Select(result => result.Entry.Name).Distinct();

    // Of the file; or of all layers that could be compressed, those that are kept instead included.
    private long Total(List<TensorResult> picked, HashSet<string> compressed) => budget.Bytes is not null
        ? PackedOutput.Length(picked)
        : picked.Where(result => compressed.Contains(result.Entry.Name)).SelectMany(result => result.Entry.Arrays).DistinctBy(array => array.Name).Sum(array => array.ByteLength);

    private CompressException TooSmall(TensorResult[] results)
    {
        var least = Enumerable.Range(0, first.Length - 1)
            .Select(layer => Enumerable.Range(first[layer], first[layer + 1] - first[layer]).Select(i => results[i]).MinBy(OwnBytes)!).ToList();
        long bytes = Total(least, Compressed(results).ToHashSet(StringComparer.Ordinal));
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
