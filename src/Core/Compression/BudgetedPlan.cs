using System.Globalization;
using Compress.Core.Allocation;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
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

    // Of the budget: a table that takes less is not worth a look at what could be had without it.
    private const double LeastTable = 2e-4;
    private const int LayersNamed = 3;

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

    /// <summary>True to count layers with errors that have no choice too: where costs are found by running the model.</summary>
    public bool CountsAllErrors { get; set; }

    /// <summary>The layers that count: those that could be stored in more than one form, and see <see cref="CountsAllErrors"/>.</summary>
    /// <param name="results">Of all candidates.</param>
    public IReadOnlyList<LayerForms> Layers(TensorResult[] results) => [.. Counted(results).Select(layer => new LayerForms(
        model[results[first[layer]].Entry.Name],
        results[first[layer]..first[layer + 1]].Max(result => result.Error.WeightEnergy),
        [.. Ways(layer).Select(i => Form(results[i]))]))];

    /// <summary>The forms that a choice gives <see cref="Layers"/>.</summary>
    /// <param name="results">Of all candidates.</param>
    /// <param name="chosen">For each tensor the candidate chosen.</param>
    public IReadOnlyList<(string Tensor, LayerForm Form)> Forms(TensorResult[] results, int[] chosen) =>
        [.. Counted(results).Select(layer => results[chosen[layer]]).Select(result => (result.Entry.Name, Form(result)))];

    /// <summary>What a plan without choices leaves of the budget, and the budget, in bytes; negative if it does not fit.</summary>
    /// <param name="results">Of all candidates.</param>
    public (long Spare, long Limit) Spare(TensorResult[] results) =>
        (Limit(results) - Total(results, [.. Enumerable.Range(0, results.Length)]), Limit(results));

    /// <summary>Chooses.</summary>
    /// <param name="results">Of all candidates.</param>
    /// <param name="costs">Of the forms of <see cref="Layers"/>.</param>
    /// <returns>For each tensor the candidate chosen.</returns>
    /// <exception cref="CompressException">The budget is too small.</exception>
    public int[] Choose(TensorResult[] results, IReadOnlyList<LayerCost> costs)
    {
        double[] cost = new double[results.Length];
        foreach (var (layer, known) in Counted(results).Zip(costs))
        {
            for (int way = 0; way < known.Costs.Count; way++)
            {
                cost[first[layer] + way] = known.Costs[way];
            }
        }

        long limit = Limit(results);
        int[] least = Least(results);
        int[] best = Solve(results, cost, least, limit, []) ?? (Total(results, least) <= limit ? least : throw TooSmall(results));

        // A table serves all layers or none: one that few layers use may be worth less than its bytes.
        string[] tables = [.. results.SelectMany(Tables).Where(table => table.ByteLength > LeastTable * limit).Select(table => table.Name).Distinct()];
        var without = new HashSet<string>(StringComparer.Ordinal);
        bool better;
        do
        {
            better = false;
            foreach (string table in tables)
            {
                if (!without.Contains(table) && Solve(results, cost, least, limit, [.. without, table]) is { } other && other.Sum(i => cost[i]) < best.Sum(i => cost[i]))
                {
                    (best, better) = (other, without.Add(table));
                    break;
                }
            }
        }
        while (better);
        return best;
    }

    // Null if the budget is too small for what is left without some tables.
    private int[]? Solve(TensorResult[] results, double[] cost, int[] least, long limit, HashSet<string> withoutTables)
    {
        int[][] ways = [.. units.Select(unit => Enumerable.Range(0, first[unit[0] + 1] - first[unit[0]])
            .Where(way => !unit.Any(layer => Tables(results[first[layer] + way]).Any(table => withoutTables.Contains(table.Name)))).ToArray())];
        Choice[][] choices = [.. units.Zip(ways, (unit, open) => open
            .Select(way => new Choice(unit.Sum(layer => OwnBytes(results[first[layer] + way])), unit.Sum(layer => cost[first[layer] + way]))).ToArray())];
        if (Array.Exists(choices, open => open.Length == 0))
        {
            return null;
        }

        // What a solution takes besides the arrays of its layers is known only when there is one.
        long others = Total(results, least) - least.Sum(i => OwnBytes(results[i]));
        int[]? best = null;
        for (int round = 0; round < MaxRounds; round++)
        {
            int[]? solution = ExactAllocation.Solve(choices, limit - others);
            if (solution is null)
            {
                break;
            }

            int[] chosen = Chosen(unit => ways[unit][solution[unit]]);
            long total = Total(results, chosen), now = total - chosen.Sum(i => OwnBytes(results[i]));
            if (total <= limit && (best is null || chosen.Sum(i => cost[i]) <= best.Sum(i => cost[i])))
            {
                best = chosen;
            }

            if (now == others)
            {
                break;
            }

            others = now;
        }

        return best;
    }

    /// <summary>What the report says of a choice.</summary>
    /// <param name="results">Of all candidates.</param>
    /// <param name="chosen">For each tensor the candidate chosen.</param>
    /// <param name="table">Of the forms of <see cref="Layers"/>.</param>
    /// <param name="kl">The divergence that the choice was measured to cause; null if the model cannot be run.</param>
    public AllocationReport Report(TensorResult[] results, int[] chosen, CostTable table, double? kl)
    {
        var layers = Counted(results).Select((layer, index) => new LayerAllocation(
            results[chosen[layer]].Entry.Name,
            table.Costs[index].Sensitivity.Alpha,
            table.Costs[index].Sensitivity.StandardError,
            table.Costs[index].Sensitivity.Clamped,
            table.Probed[index],
            results[chosen[layer]].Error.RelativeMse,
            table.Costs[index].Costs[chosen[layer] - first[layer]],
            table.Kl?[index].Costs[chosen[layer] - first[layer]],
            table.LnPerplexity?[index].Costs[chosen[layer] - first[layer]])).ToList();
        double? interaction = layers.Sum(layer => layer.PredictedKl) is > 0 and var sum && kl is { } together ? together / sum : null;
        double times = interaction ?? 1;
        return new(
            budget.ToString(),
            table.Metric,
            table.Probe,
            table.Tokens,
            layers.Sum(layer => layer.Predicted) * times,
            table.Kl is null ? null : layers.Sum(layer => layer.PredictedKl) * times,
            table.LnPerplexity is null ? null : layers.Sum(layer => layer.PredictedLnPerplexity) * times,
            layers)
        {
            Interaction = interaction,
        };
    }

    /// <summary>Says so if errors are larger than the linearity theorem is good for.</summary>
    /// <param name="report">The choice.</param>
    public Diagnostic? Beyond(AllocationReport report)
    {
        var beyond = report.Layers.Where(layer => layer.RelativeMse > AllocationReport.LargestSmallError).OrderByDescending(layer => layer.RelativeMse).ToList();
        if (report.Probe is null || beyond.Count == 0)
        {
            return null;
        }

        string names = string.Join(", ", beyond.Take(LayersNamed).Select(layer => string.Create(CultureInfo.InvariantCulture, $"{layer.Name} ({layer.RelativeMse:0.000})")));
        return new(
            Codes.BudgetBeyondTheorem,
            Severity.Warning,
            string.Create(CultureInfo.InvariantCulture,
                $"{beyond.Count} of {report.Layers.Count} layers have errors t² above {AllocationReport.LargestSmallError}, most of all {names}: ")
            + string.Create(CultureInfo.InvariantCulture, $"the costs of such errors do not add up (together they are {report.Interaction ?? 1:0.00} times their sum); measure what is lost with 'gate', or raise the budget"),
            recipe.File,
            budget.Position.Line,
            budget.Position.Column);
    }

    private IEnumerable<int> Counted(TensorResult[] results) =>
        Enumerable.Range(0, first.Length - 1).Where(layer => Ways(layer).Any(i => results[i].Key != results[first[layer]].Key || (CountsAllErrors && results[i].Error.RelativeMse > 0)));

    private static LayerForm Form(TensorResult result) => new(OwnBytes(result), result.Error.RelativeMse, result.Key.Digest, () => PackedForm.Open(result.Entry));

    // Layers that share one choice, and each of the others by itself.
    private static int[][] Units(IReadOnlyList<LayerPlan> plan) => [.. Enumerable.Range(0, plan.Count)
        .GroupBy(layer => plan[layer].Treatment is Treatment.Choose { Group: { } group } choose && group.Of(plan[layer].Tensor.Name) is { } name
            ? ((object)choose.Options, name)
            : (layer, ""))
        .Select(unit => unit.ToArray())];

    private IEnumerable<int> Ways(int layer) => Enumerable.Range(first[layer], first[layer + 1] - first[layer]);

    // Bytes that only this tensor takes: tables may serve several.
    private static long OwnBytes(TensorResult result) => result.Entry.Arrays.Where(array => !IsTable(array)).Sum(array => array.ByteLength);

    private static IEnumerable<StoredArray> Tables(TensorResult result) => result.Entry.Arrays.Where(IsTable);

    private static bool IsTable(StoredArray array) => array.Name.StartsWith(PackedFormat.Separator, StringComparison.Ordinal);

    private long Limit(TensorResult[] results) => budget.Bytes ?? (long)Math.Floor(budget.BitsPerWeight!.Value / 8 * Weights(results));

    private double Weights(IReadOnlyList<TensorResult> results) => Compressed(results).Sum(name => (double)model[name].Count);

    private static IEnumerable<string> Compressed(IReadOnlyList<TensorResult> results) =>
        results.Where(result => result.Cache != CacheUse.Kept).Select(result => result.Entry.Name).Distinct();

    // Of the file; or of all layers that could be compressed, those that are kept instead included.
    private long Total(TensorResult[] results, int[] chosen)
    {
        var picked = chosen.Select(i => results[i]).ToList();
        if (budget.Bytes is not null)
        {
            return PackedOutput.Length(picked);
        }

        var compressed = Compressed(results).ToHashSet(StringComparer.Ordinal);
        return picked.Where(result => compressed.Contains(result.Entry.Name)).SelectMany(result => result.Entry.Arrays).DistinctBy(array => array.Name).Sum(array => array.ByteLength);
    }

    // For each tensor the candidate of the fewest bytes.
    private int[] Least(TensorResult[] results) => Chosen(unit => Enumerable.Range(0, first[units[unit][0] + 1] - first[units[unit][0]])
        .MinBy(way => units[unit].Sum(layer => OwnBytes(results[first[layer] + way]))));

    // For each tensor the candidate that its unit's way is.
    private int[] Chosen(Func<int, int> wayOf)
    {
        int[] chosen = new int[first.Length - 1];
        for (int unit = 0; unit < units.Length; unit++)
        {
            int way = wayOf(unit);
            Array.ForEach(units[unit], layer => chosen[layer] = first[layer] + way);
        }

        return chosen;
    }

    private CompressException TooSmall(TensorResult[] results)
    {
        long bytes = Total(results, Least(results));
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
