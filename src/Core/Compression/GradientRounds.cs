using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>All tensors, encoded by a plan and statistics.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Results">A result for each of its layers.</param>
/// <param name="Statistics">What it was encoded with; null if no layer needs any.</param>
internal sealed record EncodedModel(IReadOnlyList<LayerPlan> Plan, TensorResult[] Results, IStatisticsSource? Statistics);

/// <summary>
/// CVXQ's iteration (Young, arXiv 2409.02026, §3): gradients are taken again at the quantized weights, and the layers are encoded by these. Of all rounds that one is kept whose predictions come
/// nearest to the source's on windows that are held out.
/// </summary>
/// <param name="recipe">The recipe.</param>
/// <param name="evaluations">Where divergences are kept; may be null.</param>
internal sealed class GradientRounds(Recipe recipe, EvaluationCache? evaluations)
{
    /// <summary>What came out of the rounds.</summary>
    public GradientRoundsReport? Report { get; private set; }

    /// <summary>Does all rounds but the first.</summary>
    /// <param name="first">The first.</param>
    /// <param name="encode">Encodes with other statistics; null if there were errors.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The best. Null if there were errors.</returns>
    /// <exception cref="EntryGoneException">Somebody removed a cache entry since it was found.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public EncodedModel? Run(EncodedModel first, Func<TextStatistics, EncodedModel?> encode, CancellationToken cancellationToken)
    {
        if (first.Statistics is not TextStatistics { Rounds: > 1 } source)
        {
            return first;
        }

        var (best, last, divergences) = (first, first, new List<double>());
        int bestRound = 1;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            string digest = Digest(last);
            if (!seen.Add(digest))
            {
                break; // what comes next has been before
            }

            var at = source.At(digest, model => Quantize(model, last.Results));
            divergences.Add(at.HeldOutDivergence(evaluations, cancellationToken));
            (best, bestRound) = divergences.Count == 1 || divergences[^1] < divergences[bestRound - 1] ? (last, divergences.Count) : (best, bestRound);
            if (divergences.Count == source.Rounds)
            {
                at.CloseModel();
                break;
            }

            var next = encode(at);
            at.CloseModel();
            if (next is null)
            {
                return null;
            }

            last = next;
        }

        Report = new(bestRound, source.HeldOutTokens, divergences);
        return best;
    }

    /// <summary>Says if rounds are asked for where there is nothing to do in them.</summary>
    /// <exception cref="CompressException">It is so.</exception>
    public void Check(IReadOnlyList<LayerPlan> plan, bool chooses)
    {
        if (recipe.Calibration is not StatisticsOrigin.FromText { Settings.Rounds: > 1 and var rounds } text)
        {
            return;
        }

        string? problem = PlanStatistics.Needs(plan, layer => (layer.Compress.Encoder.Needs & StatisticNames.OfGradients) != StatisticKinds.None).Count == 0
            ? "no method in use takes gradients; remove it, or give method cvxq with 'sensitivity: gradients'"
            : chooses ? "the budget chooses from several ways for whole layers, by costs that do not depend on gradients; remove it, or 'choose'" : null;
        if (problem is not null)
        {
            throw new CompressException(new Diagnostic(
                Codes.RecipeConflict, Severity.Error, $"'{RecipeKeys.Rounds}: {rounds}' takes gradients {rounds} times, and {problem}", recipe.File, text.Position.Line, text.Position.Column));
        }
    }

    private static string Digest(EncodedModel encoding) => LayerKey.DigestOf(encoding.Results.SelectMany(result => new[] { result.Entry.Name, result.Key.Digest }));

    private static void Quantize(LanguageModel model, TensorResult[] results)
    {
        var names = model.TensorNames.ToHashSet(StringComparer.Ordinal);
        foreach (var result in results.Where(result => result.Entry.Description is not null && names.Contains(result.Entry.Name)))
        {
            model.UseDequantized(result.Entry.Name, PackedForm.Open(result.Entry));
        }
    }
}

/// <summary>What came of taking gradients again at the quantized weights.</summary>
/// <param name="Kept">The round that is kept, from 1.</param>
/// <param name="HeldOutTokens">Tokens of the windows that it was chosen on.</param>
/// <param name="HeldOutKl">For each round, the mean divergence from the source on these windows, in nats per token.</param>
public sealed record GradientRoundsReport(int Kept, long HeldOutTokens, IReadOnlyList<double> HeldOutKl);
