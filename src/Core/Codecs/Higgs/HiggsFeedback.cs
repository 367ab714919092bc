using System.Globalization;
using Compress.Core.Codecs.Feedback;
using Compress.Core.Models;
using Compress.Core.Numerics;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// HIGGS with error feedback (arXiv 2411.17525, section 4.4): what is made small is the error of the layer's outputs. Rotated weights see rotated inputs, so
/// the inputs' second moments are rotated likewise. Codes are chosen for the root mean square of a group, whose scale is then fitted in the metric of the
/// moments, as far as what comes later cannot make up for its errors. The file is as that without feedback.
/// </summary>
internal sealed class HiggsFeedback(Grid grid, int groupSize, ulong seed, FeedbackSettings settings)
{
    /// <summary>Chooses the codes and scales of a layer.</summary>
    /// <param name="weights">The weights as stored.</param>
    /// <param name="moments">Second moments of the layer's inputs.</param>
    /// <param name="transposed">True if the weights are stored as <c>[in, out]</c>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The codes of each stored row; the scales, <c>[rows, groups]</c>.</returns>
    public (ushort[][] Codes, float[] Scales) Encode(WeightMatrix weights, double[] moments, bool transposed, CancellationToken cancellationToken)
    {
        int columns = weights.Columns;
        ushort[][] codes = [.. Enumerable.Range(0, weights.Rows).Select(_ => new ushort[(columns + grid.P - 1) / grid.P])];
        if (columns == 0)
        {
            return (codes, []);
        }

        int scaled = grid.ScaledColumns(groupSize);
        var rotated = new RotatedWeights(weights, groupSize, seed, cancellationToken);
        double[] scales = new double[checked(weights.Rows * ((columns + scaled - 1) / scaled))];
        if (transposed)
        {
            // Rows are inputs, so what is rotated is the outputs: the moments stay as they are.
            var factor = SharedFactors.Instance.Get(moments, weights.Rows, 1, 0, settings, cancellationToken);
            ErrorFeedback.Quantize(factor, rotated, transposed, new HiggsGroupQuantizer(grid, scaled, codes, scales), cancellationToken);
        }
        else
        {
            SetToRootMeanSquares(scales, scaled, rotated, cancellationToken);
            var factor = SharedFactors.Instance.Get(
                moments, columns, grid.P, scaled, settings, cancellationToken,
                (string.Create(CultureInfo.InvariantCulture, $"rotation {groupSize} {seed}"), () => RotatedMoments.Of(moments, columns, groupSize, seed, cancellationToken)));
            ErrorFeedback.Quantize(factor, rotated, transposed, new HiggsBlockQuantizer(grid, scaled, codes, scales), cancellationToken);
        }

        return (codes, Array.ConvertAll(scales, scale => (float)(scale * rotated.Unit)));
    }

    private static void SetToRootMeanSquares(double[] scales, int scaled, RotatedWeights rotated, CancellationToken cancellationToken)
    {
        int groups = (rotated.Columns + scaled - 1) / scaled;
        RowReader.ForEach(rotated, (row, values) =>
        {
            for (int group = 0; group < groups; group++)
            {
                var part = values[(group * scaled)..Math.Min(values.Length, (group + 1) * scaled)];
                scales[(row * groups) + group] = MathF.Sqrt(FixedOrder.Dot(part, part) / part.Length);
            }
        }, cancellationToken);
    }
}
