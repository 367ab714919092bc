using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Models;

namespace Compress.Core.Pruning;

/// <summary>Chooses the weights of a matrix that are kept.</summary>
/// <param name="settings">What the recipe says.</param>
/// <param name="threshold">The least magnitude that is kept, if the matrices of a rule share it.</param>
internal sealed class Pruner(PruneSettings settings, float? threshold)
{
    /// <summary>Chooses them, and reads or computes their values.</summary>
    /// <param name="weights">The matrix, all finite.</param>
    /// <param name="statistics">With second moments of inputs, if <see cref="PruneSettings.By"/> needs them; null for tensors that nothing is multiplied with.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="CompressException">The recipe's pattern does not divide the layer's inputs.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public PrunedMatrix Prune(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        int rows = weights.Rows, columns = rows == 0 ? 0 : weights.Columns;
        var pruned = new PrunedMatrix(rows, columns);
        if (pruned.Count == 0)
        {
            return pruned;
        }

        bool transposed = statistics?.Transposed == true;
        int inputs = transposed ? rows : columns;
        if (settings.Pattern is var (_, of) && inputs % of != 0)
        {
            throw new CompressException(new Diagnostic(
                Codes.RecipeBadValue, Severity.Error, PatternMessage(settings, $"a matrix of {rows} × {columns}", inputs), settings.File, settings.Position.Line, settings.Position.Column));
        }

        if (settings.By == Saliency.Magnitude && settings.Pattern is null)
        {
            KeepGreatest(pruned, weights, cancellationToken);
            return pruned.With(weights, cancellationToken);
        }

        if (settings.By == Saliency.SparseGpt && statistics?.InputSecondMoments is { } moments)
        {
            return SparseGpt.Prune(settings, pruned, weights, moments, transposed, cancellationToken);
        }

        KeepOfEachOutput(pruned, weights, settings.By == Saliency.Magnitude ? null : statistics?.InputSecondMoments, transposed, cancellationToken);
        return pruned.With(weights, cancellationToken);
    }

    /// <summary>What to say where a pattern does not divide what it is to divide.</summary>
    public static string PatternMessage(PruneSettings settings, string matrix, long inputs) => FormattableString.Invariant(
        $"'pattern': found {settings.Pattern!.Value.Keep}:{settings.Pattern.Value.Of}; {matrix} has {inputs} weights for each output, which {settings.Pattern.Value.Of} does not divide; choose another, or a sparsity");

    private void KeepGreatest(PrunedMatrix pruned, WeightMatrix weights, CancellationToken cancellationToken)
    {
        var (least, equal) = threshold is { } shared ? (shared, long.MaxValue) : MagnitudeThreshold.Of([weights], settings.Kept(pruned.Count), cancellationToken);
        RowReader.ForEach(weights, (row, values) =>
        {
            for (int column = 0; column < values.Length; column++)
            {
                float magnitude = Math.Abs(values[column]);
                if (magnitude > least || (magnitude == least && equal-- > 0))
                {
                    pruned.Keep(((long)row * pruned.Columns) + column);
                }
            }
        }, cancellationToken);
    }

    // Squares order as magnitudes do, and take no root of the moment.
    private void KeepOfEachOutput(PrunedMatrix pruned, WeightMatrix weights, double[]? moments, bool transposed, CancellationToken cancellationToken)
    {
        int outputs = transposed ? pruned.Columns : pruned.Rows, inputs = transposed ? pruned.Rows : pruned.Columns;
        double[] scores = new double[inputs];
        bool[] kept = new bool[inputs];
        var choice = new Greatest(inputs);
        if (!transposed)
        {
            RowReader.ForEach(weights, (row, values) => Choose(row, values), cancellationToken);
            return;
        }

        var (stored, column) = (new float[checked(pruned.Rows * pruned.Columns)], new float[inputs]);
        weights.ReadRows(0, pruned.Rows, stored);
        for (int output = 0; output < outputs; output++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int input = 0; input < inputs; input++)
            {
                column[input] = stored[(input * outputs) + output];
            }

            Choose(output, column);
        }

        void Choose(int output, ReadOnlySpan<float> values)
        {
            for (int i = 0; i < inputs; i++)
            {
                scores[i] = (double)values[i] * values[i] * (moments is null ? 1 : moments[((long)i * inputs) + i]);
            }

            Selection.Choose(choice, settings, scores, kept);
            for (int i = 0; i < inputs; i++)
            {
                if (kept[i])
                {
                    pruned.Keep(transposed ? ((long)i * outputs) + output : ((long)output * inputs) + i);
                }
            }
        }
    }
}

/// <summary>Which of an output's weights are kept.</summary>
internal static class Selection
{
    /// <summary>So many of all, or of each group of neighbours.</summary>
    /// <param name="choice">Chooses.</param>
    /// <param name="settings">How many.</param>
    /// <param name="scores">Of an output's weights; of whole groups if they are not all.</param>
    /// <param name="kept">Receives which.</param>
    /// <param name="count">How many, where no pattern says it; without it, as many of all as the settings say.</param>
    public static void Choose(Greatest choice, PruneSettings settings, ReadOnlySpan<double> scores, Span<bool> kept, int? count = null)
    {
        if (settings.Pattern is not var (keep, of))
        {
            choice.Choose(scores, count ?? (int)settings.Kept(scores.Length), kept);
            return;
        }

        for (int first = 0; first < scores.Length; first += of)
        {
            choice.Choose(scores.Slice(first, of), keep, kept[first..]);
        }
    }
}
