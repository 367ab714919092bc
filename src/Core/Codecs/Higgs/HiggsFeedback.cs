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

        var rotated = new RotatedWeights(weights, groupSize, seed, cancellationToken);
        double[] scales = new double[checked(weights.Rows * ((columns + groupSize - 1) / groupSize))];
        if (transposed)
        {
            // Rows are inputs, so what is rotated is the outputs: the moments stay as they are.
            var factor = SharedFactors.Instance.Get(moments, weights.Rows, 1, 0, settings, cancellationToken);
            ErrorFeedback.Quantize(factor, rotated, transposed, new HiggsGroupQuantizer(grid, groupSize, codes, scales), cancellationToken);
        }
        else
        {
            SetToRootMeanSquares(scales, rotated, cancellationToken);
            var factor = SharedFactors.Instance.Get(
                moments, columns, grid.P, groupSize, settings, cancellationToken,
                (string.Create(CultureInfo.InvariantCulture, $"rotation {groupSize} {seed}"), () => RotatedMoments.Of(moments, columns, groupSize, seed, cancellationToken)));
            ErrorFeedback.Quantize(factor, rotated, transposed, new HiggsBlockQuantizer(grid, groupSize, codes, scales), cancellationToken);
        }

        return (codes, Array.ConvertAll(scales, scale => (float)(scale * rotated.Unit)));
    }

    private void SetToRootMeanSquares(double[] scales, RotatedWeights rotated, CancellationToken cancellationToken)
    {
        int groups = (rotated.Columns + groupSize - 1) / groupSize;
        RowReader.ForEach(rotated, (row, values) =>
        {
            for (int group = 0; group < groups; group++)
            {
                var part = values[(group * groupSize)..Math.Min(values.Length, (group + 1) * groupSize)];
                scales[(row * groups) + group] = MathF.Sqrt(FixedOrder.Dot(part, part) / part.Length);
            }
        }, cancellationToken);
    }
}
