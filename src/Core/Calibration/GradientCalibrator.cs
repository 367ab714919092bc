using Compress.Core.Codecs;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Runtime.Kernels;

namespace Compress.Core.Calibration;

/// <summary>
/// Collects the statistics of linear layers that take backward passes. Memory holds a double for each weight of the layers in work, so that there are as many rounds of
/// passes as layers with <see cref="MaxSums"/> weights, and what a backward pass takes.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="windows">Tokens.</param>
internal sealed class GradientCalibrator(LanguageModel model, IReadOnlyList<int[]> windows)
{
    /// <summary>Sums that are held at once, but for a layer that has more alone: 2 GiB.</summary>
    public const long MaxSums = 1L << 28;

    /// <summary>From one token to the next that a component's gradient is taken at. CVXQ's scripts take 64 to 256.</summary>
    public const int Stride = 128;

    /// <summary>Principal components of the final hidden state, one for each window in turn, as in CVXQ's scripts.</summary>
    public const int Components = 1024;

    /// <summary>A statistic that was found.</summary>
    /// <param name="Layer">The layer.</param>
    /// <param name="Kind">Which one.</param>
    /// <param name="Values">Its values.</param>
    /// <param name="Counted">Backward passes, or tokens, that were counted.</param>
    /// <param name="Skipped">Those that were left out, because a gradient is not finite.</param>
    public readonly record struct Result(Linear Layer, StatisticKinds Kind, float[] Values, long Counted, long Skipped);

    /// <summary>Collects.</summary>
    /// <param name="wanted">Of which layers, and which kinds.</param>
    /// <param name="done">Given each statistic.</param>
    /// <param name="progress">Told after each window.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Run(
        IReadOnlyList<(Linear Layer, StatisticKinds Kinds)> wanted, Action<Result> done, IProgress<CalibrationProgress>? progress, CancellationToken cancellationToken)
    {
        var entropies = Rounds(wanted, StatisticKinds.SquaredGradients | StatisticKinds.OutputGradients);
        var hidden = Rounds(wanted, StatisticKinds.HiddenGradients);
        long total = (long)windows.Count * (entropies.Count + hidden.Count + (hidden.Count > 0 ? 1 : 0)), count = 0;
        foreach (var round in entropies)
        {
            var squares = new SquaredGradients(
                name => round.TryGetValue(name, out var layer) && layer.Kinds.HasFlag(StatisticKinds.SquaredGradients) ? (1, 1) : null,
                name => round.TryGetValue(name, out var layer) && layer.Kinds.HasFlag(StatisticKinds.OutputGradients));
            squares.AddCrossEntropies(model, Counted(), cancellationToken);
            foreach (var (name, moments) in squares.Moments)
            {
                done(Of(round[name].Layer, StatisticKinds.SquaredGradients, moments, squares.Predicted));
            }

            foreach (var (name, moments) in squares.OutputMoments)
            {
                done(Of(round[name].Layer, StatisticKinds.OutputGradients, moments, squares.Predicted));
            }
        }

        if (hidden.Count == 0)
        {
            return;
        }

        float[] components = PrincipalComponents(Counted(), cancellationToken);
        foreach (var round in hidden)
        {
            var squares = new SquaredGradients(name => round.ContainsKey(name) ? (1, 1) : null);
            squares.AddComponents(model, Counted(), components, Stride, cancellationToken);
            foreach (var (name, moments) in squares.Moments)
            {
                done(Of(round[name].Layer, StatisticKinds.HiddenGradients, moments, moments.Passes + moments.Skipped));
            }
        }

        IEnumerable<int[]> Counted()
        {
            foreach (int[] window in windows)
            {
                yield return window;
                progress?.Report(new(++count, total));
            }
        }
    }

    private float[] PrincipalComponents(IEnumerable<int[]> all, CancellationToken cancellationToken)
    {
        var covariance = new OutputCovariance(model.HiddenWidth);
        foreach (int[] window in all.Where(window => window.Length > 0))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var hidden = new Scratch(window.Length, model.HiddenWidth);
            model.Hidden(window, hidden.Span);
            covariance.Add(hidden.Span, window.Length);
        }

        return covariance.Tokens == 0 ? [] : covariance.PrincipalComponents(Math.Min(Components, model.HiddenWidth), cancellationToken);
    }

    private static List<Dictionary<string, (Linear Layer, StatisticKinds Kinds)>> Rounds(IReadOnlyList<(Linear Layer, StatisticKinds Kinds)> wanted, StatisticKinds kinds)
    {
        var rounds = new List<Dictionary<string, (Linear, StatisticKinds)>>();
        long sums = MaxSums;
        foreach (var (layer, all) in wanted.Where(pair => (pair.Kinds & kinds) != StatisticKinds.None))
        {
            long own = (all & kinds) == StatisticKinds.OutputGradients ? layer.Outputs : (long)layer.Inputs * layer.Outputs;
            if (sums + own > MaxSums)
            {
                rounds.Add(new(StringComparer.Ordinal));
                sums = 0;
            }

            rounds[^1].Add(layer.Name, (layer, all & kinds));
            sums += own;
        }

        return rounds;
    }

    // Means over what there should have been: those that were skipped count as the mean of the others.
    private static Result Of(Linear layer, StatisticKinds kind, GradientMoments moments, double over)
    {
        double scale = (moments.Passes + moments.Skipped) / over;
        return new(layer, kind, Array.ConvertAll(moments.Means(), mean => (float)(mean * scale)), moments.Passes, moments.Skipped);
    }
}
