using Compress.Core.Codecs.Feedback;
using Compress.Core.Models;

namespace Compress.Core.Pruning;

/// <summary>
/// Prunes the weights of each output from the first input to the last, and lets those that come later make up for each: SparseGPT (Frantar and Alistarh, arXiv 2301.00774, §3), with the
/// factor <c>H = U D Uᵀ</c> of <see cref="ErrorFeedback"/>. A weight t that becomes zero costs t² D, since its input's part that later inputs do not explain has the mean square D; in the
/// paper's words w² / [H⁻¹]². Which weights of a strip of 64 inputs are pruned is decided when it is reached, for each output by itself: as many of each strip; or of each group, if there
/// is a pattern.
/// </summary>
internal static class SparseGpt
{
    /// <summary>As in the paper's code: one percent, and inputs in their order.</summary>
    private static readonly FeedbackSettings Feedback = new(1, false);

    /// <summary>Prunes.</summary>
    /// <param name="settings">How many weights are kept.</param>
    /// <param name="pruned">Receives which.</param>
    /// <param name="weights">The matrix.</param>
    /// <param name="moments">Second moments of the layer's inputs.</param>
    /// <param name="transposed">True if the matrix is stored as <c>[in, out]</c>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static PrunedMatrix Prune(PruneSettings settings, PrunedMatrix pruned, WeightMatrix weights, double[] moments, bool transposed, CancellationToken cancellationToken)
    {
        int inputs = transposed ? pruned.Rows : pruned.Columns, outputs = transposed ? pruned.Columns : pruned.Rows;
        var factor = SharedFactors.Instance.Get(moments, inputs, 1, 0, Feedback, cancellationToken, stripUnit: settings.Pattern?.Of ?? 1);
        var zeros = new Zeros(settings, factor, outputs, transposed);
        ErrorFeedback.Quantize(factor, weights, transposed, zeros, cancellationToken);
        for (int index = 0; index < zeros.Kept.Length; index++)
        {
            if (zeros.Kept[index])
            {
                pruned.Keep(index);
            }
        }

        return pruned.With(WeightMatrix.FromArray(zeros.Values, pruned.Rows, pruned.Columns), cancellationToken);
    }

    // "Rounds" weights to zero, or to what they are to be.
    private sealed class Zeros : IBlockQuantizer, IStripPlanner
    {
        private readonly PruneSettings settings;
        private readonly int outputs, inputs;
        private readonly bool transposed;
        private readonly double[] costs; // D

        public Zeros(PruneSettings settings, FeedbackFactor factor, int outputs, bool transposed)
        {
            (this.settings, this.outputs, inputs, this.transposed) = (settings, outputs, factor.Inputs, transposed);
            costs = [.. Enumerable.Range(0, inputs).Select(input => factor.Product(input, [1], [1]))];
            Values = new float[checked(outputs * inputs)];
            Kept = new bool[Values.Length];
        }

        /// <summary>In the order in which the matrix is stored.</summary>
        public float[] Values { get; }

        public bool[] Kept { get; }

        public int Inputs => 1;

        public int Outputs => 1;

        public int GroupInputs => 0;

        public void Plan(int output, ReadOnlySpan<int> strip, ReadOnlySpan<double> targets)
        {
            Span<double> scores = stackalloc double[FeedbackFactor.MaxStripWidth];
            Span<bool> kept = stackalloc bool[FeedbackFactor.MaxStripWidth];
            for (int i = 0; i < strip.Length; i++)
            {
                scores[i] = targets[i] * targets[i] * costs[strip[i]];
            }

            // So that all strips up to here have kept the part that the recipe says.
            int? count = settings.Pattern is null ? (int)(KeptOf(strip[0] + strip.Length) - KeptOf(strip[0])) : null;
            Selection.Choose(new Greatest(strip.Length), settings, scores[..strip.Length], kept, count);
            for (int i = 0; i < strip.Length; i++)
            {
                Kept[Place(output, strip[i])] = kept[i];
            }
        }

        public void Quantize(int output, int input, ReadOnlySpan<double> target, Span<double> rounded)
        {
            int place = Place(output, input);
            rounded[0] = Values[place] = Kept[place] ? (float)target[0] : 0;
        }

        public void Rescale(int output, int input, double factor) => throw new NotSupportedException();

        private int Place(int output, int input) => transposed ? (input * outputs) + output : (output * inputs) + input;

        private long KeptOf(int count) => count == 0 ? 0 : settings.Kept(count);
    }
}
