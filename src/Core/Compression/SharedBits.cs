using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Codecs.Cvxq;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>
/// Spreads a budget over the groups of weights of all layers at once, at one λ (Young, arXiv 2409.02026, §3): a layer's encoder is told how many bits its groups got together, and
/// spreads these over them as they were found here, since the best depths of a part of all groups are those of all.
/// </summary>
internal sealed class SharedBits
{
    // What a file takes besides arrays is known only when it is there.
    private const int MaxRounds = 8;

    // Less than this may change no group's depth.
    private const long LeastStep = 64;

    // Of the budget, that may be left.
    private const double Tolerance = 0.0005;

    private const int DepthBits = 8;

    private readonly Recipe recipe;
    private readonly IReadOnlyList<LayerPlan> plan;
    private readonly ModelFile model;
    private readonly Dictionary<int, GroupCosts> layers = []; // by index in the plan, in order

    /// <summary>Reads the groups of all layers that share bits.</summary>
    /// <param name="recipe">A recipe with a budget.</param>
    /// <param name="plan">What it says of each tensor.</param>
    /// <param name="model">The model.</param>
    /// <param name="statistics">Prepared for those layers.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="CompressException">Statistics cannot be had.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public SharedBits(Recipe recipe, IReadOnlyList<LayerPlan> plan, ModelFile model, IStatisticsSource? statistics, CancellationToken cancellationToken)
    {
        (this.recipe, this.plan, this.model) = (recipe, plan, model);
        foreach (int index in Sharing(plan))
        {
            var tensor = model[plan[index].Tensor.Name];
            if (tensor.FirstNonFinite() is null && tensor.FirstBeyondFloat() is null)
            {
                var encoder = Encoder(plan[index]);
                layers.Add(index, encoder.Groups(tensor, statistics?.Read(new(tensor.Name, encoder.Needs), cancellationToken), cancellationToken));
            }

            tensor.ReleasePages();
        }
    }

    /// <summary>The layers of a plan that share bits, by their index.</summary>
    /// <exception cref="CompressException">Others are to choose from widths: nothing compares the two.</exception>
    public static IReadOnlyList<int> Sharing(IReadOnlyList<LayerPlan> plan, Recipe? recipe = null)
    {
        List<int> sharing = [.. Enumerable.Range(0, plan.Count).Where(index => plan[index].Treatment is Treatment.Compress { SharesBits: true })];
        if (sharing.Count > 0 && plan.FirstOrDefault(layer => layer.Treatment is Treatment.Choose) is { } other)
        {
            throw new CompressException(new Diagnostic(
                Codes.RecipeConflict,
                Severity.Error,
                $"the budget gives bits to groups of weights of '{plan[sharing[0]].Tensor.Name}' and others, and '{other.Tensor.Name}' is to get one of several widths: nothing compares the two; "
                + "give the latter 'bits' or 'keep', or the former 'sensitivity: none'",
                recipe?.File,
                other.Treatment.Position.Line,
                other.Treatment.Position.Column));
        }

        return sharing;
    }

    /// <summary>The names of the layers of a plan that share bits.</summary>
    /// <exception cref="CompressException">As for <see cref="Sharing"/>.</exception>
    public static HashSet<string> Names(IReadOnlyList<LayerPlan> plan, Recipe recipe) =>
        Sharing(plan, recipe).Select(index => plan[index].Tensor.Name).ToHashSet(StringComparer.Ordinal);

    /// <summary>The plan with the bits that the last run gave each layer, where it is known.</summary>
    public static IReadOnlyList<LayerPlan> AsBefore(IReadOnlyList<LayerPlan> plan, IReadOnlyDictionary<string, LayerKey> last)
    {
        var same = plan.ToArray();
        foreach (int index in Sharing(plan))
        {
            if (last.TryGetValue(plan[index].Tensor.Name, out var key) && CodeBits.TryParse(key.Settings, out long bits))
            {
                same[index] = With(plan[index], bits);
            }
        }

        return same;
    }

    /// <summary>Encodes all layers so that they take no more than the budget, and hardly less.</summary>
    /// <param name="encode">Encodes the layers of a plan; null if there were errors.</param>
    /// <returns>What was chosen; no results if there were errors. If the budget is too small, it is exceeded by as little as can be.</returns>
    public (IReadOnlyList<LayerPlan> Plan, TensorResult[]? Results) Spread(Func<IReadOnlyList<LayerPlan>, TensorResult[]?> encode)
    {
        long most = DepthBits * layers.Values.Sum(Weights), bits = Guess(most);
        (IReadOnlyList<LayerPlan> Plan, TensorResult[]? Results) best = (plan, null);
        long bestSpare = 0;
        var encoded = new Dictionary<LayerKey, TensorResult>();
        for (int round = 0; round < MaxRounds; round++)
        {
            var tried = Assigned(bits);
            if (encode(tried) is not { } results)
            {
                return (plan, null);
            }

            for (int i = 0; i < results.Length; i++)
            {
                // What a round before encoded was not found in the cache.
                results[i] = encoded.TryGetValue(results[i].Key, out var before) && before.Cache == CacheUse.Miss && before.Entry.Name == results[i].Entry.Name ? before : results[i];
                encoded[results[i].Key] = results[i];
            }

            var (spare, limit) = new BudgetedPlan(recipe, tried, model).Spare(results);
            if (best.Results is null || (spare >= 0 ? bestSpare < 0 || spare < bestSpare : spare > bestSpare))
            {
                (best, bestSpare) = ((tried, results), spare);
            }

            // Groups that fill no whole bytes change by other sizes than bits do: what is too large shrinks by more each time.
            long next = Math.Clamp(bits + (8 * spare) - (spare < 0 ? LeastStep << round : 0), 0, most);
            if ((spare >= 0 && spare <= limit * Tolerance) || next == bits)
            {
                break;
            }

            bits = next;
        }

        return best;
    }

    // Codes, if nothing but these layers were stored, and little besides arrays.
    private long Guess(long most)
    {
        long others = layers.Sum(layer => (long)Encoder(plan[layer.Key]).BytesPerGroup * layer.Value.Sizes.Length);
        double all = recipe.Budget!.Bytes is { } bytes
            ? 8.0 * (bytes - plan.Where((_, index) => !layers.ContainsKey(index)).Sum(layer => layer.Tensor.ByteLength))
            : recipe.Budget.BitsPerWeight!.Value * layers.Values.Sum(Weights);
        return (long)Math.Clamp(all - (8.0 * others), 0, most);
    }

    private List<LayerPlan> Assigned(long bits)
    {
        // Where no gradient is known, a weight gets what it gets on average.
        double weights = layers.Values.Sum(Weights);
        var assigned = layers.Where(layer => !layer.Value.Known).ToDictionary(layer => layer.Key, layer => weights == 0 ? 0 : (long)(bits / weights * Weights(layer.Value)));
        var known = layers.Where(layer => layer.Value.Known).ToList();
        byte[] depths = DepthAllocation.Choose(
            [.. known.SelectMany(layer => layer.Value.Distortions)], [.. known.SelectMany(layer => layer.Value.Sizes)], bits - assigned.Values.Sum());
        int at = 0;
        foreach (var (index, costs) in known)
        {
            long own = 0;
            foreach (int size in costs.Sizes)
            {
                own += (long)depths[at++] * size;
            }

            assigned.Add(index, own);
        }

        return [.. plan.Select((layer, index) => assigned.TryGetValue(index, out long own) ? With(layer, own) : layer)];
    }

    private static long Weights(GroupCosts costs) => costs.Sizes.Sum(size => (long)size);

    private static IGroupEncoder Encoder(LayerPlan layer) => (IGroupEncoder)((Treatment.Compress)layer.Treatment).Encoder;

    private static LayerPlan With(LayerPlan layer, long bits) => layer with { Treatment = (Treatment.Compress)layer.Treatment with { Encoder = Encoder(layer).WithCodeBits(bits) } };
}
