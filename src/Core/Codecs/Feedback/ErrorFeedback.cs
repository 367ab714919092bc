using Compress.Core.Models;
using Compress.Core.Numerics;
using Compress.Runtime;

namespace Compress.Core.Codecs.Feedback;

/// <summary>
/// Rounds the weights of a linear layer one block of inputs after another, and lets each make up for the errors of those before it, so that the
/// layer's outputs change least for inputs with second moments H: GPTQ (Frantar et al., arXiv 2210.17323), which is LDLQ (QuIP, arXiv 2307.13304) in the
/// order of columns from the first to the last. With H = U D Uᵀ (<see cref="FeedbackFactor"/>) block k is rounded from <c>W_k + Σ_{j&lt;k} (W − Ŵ)_j U_jk</c>. No
/// inverse is needed, sums have a fixed order, and outputs do not depend on each other: the same bits on every machine, whatever the number of threads.
/// </summary>
internal static class ErrorFeedback
{
    /// <summary>Outputs that a thread takes at a time, or as many more as are rounded together: each strip of U is read once for all of them.</summary>
    private const int PanelOutputs = 64;

    /// <summary>Rounds all weights.</summary>
    /// <param name="factor">Of the second moments of the layer's inputs.</param>
    /// <param name="weights">The weights, <c>[out, in]</c>.</param>
    /// <param name="transposed">True if they are stored as <c>[in, out]</c>.</param>
    /// <param name="quantizer">Rounds them.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static void Quantize<TQuantizer>(
        FeedbackFactor factor, WeightMatrix weights, bool transposed, TQuantizer quantizer, CancellationToken cancellationToken)
        where TQuantizer : IBlockQuantizer
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(quantizer.Inputs, factor.BlockSize);
        ArgumentOutOfRangeException.ThrowIfNotEqual(quantizer.GroupInputs, factor.GroupSize);
        var rows = transposed ? Transposed(weights) : weights;
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows.Columns, factor.Inputs);
        int outputs = quantizer.Outputs, panelOutputs = Math.Min(rows.Rows, Math.Max(outputs, PanelOutputs - (PanelOutputs % outputs)));
        var options = new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads, CancellationToken = cancellationToken };
        Parallel.For(0, rows.Rows == 0 ? 0 : (rows.Rows + panelOutputs - 1) / panelOutputs, options, () => new Panel<TQuantizer>(factor, quantizer, panelOutputs), (index, _, panel) =>
        {
            panel.Quantize(rows, index * panelOutputs, Math.Min(panelOutputs, rows.Rows - (index * panelOutputs)), cancellationToken);
            return panel;
        }, _ => { });
    }

    private static WeightMatrix Transposed(WeightMatrix weights)
    {
        float[] stored = new float[checked(weights.Rows * weights.Columns)], turned = new float[stored.Length];
        weights.ReadRows(0, weights.Rows, stored);
        for (int i = 0; i < stored.Length; i++)
        {
            turned[(i % weights.Columns * weights.Rows) + (i / weights.Columns)] = stored[i];
        }

        return WeightMatrix.FromArray(turned, weights.Columns, weights.Rows);
    }

    /// <summary>The outputs that a thread is at.</summary>
    private sealed class Panel<TQuantizer>(FeedbackFactor factor, TQuantizer quantizer, int outputs)
        where TQuantizer : IBlockQuantizer
    {
        private const int Width = FeedbackFactor.MaxStripWidth;

        private readonly int inputs = factor.Inputs;
        private readonly IStripPlanner? planner = quantizer as IStripPlanner;
        private readonly float[] weights = new float[checked(outputs * factor.Inputs)];

        // Ŵ − W of what has been rounded, in the order of rounding.
        private readonly double[] errors = new double[outputs * factor.Inputs];

        // What the weights of a strip are to be rounded from.
        private readonly double[] targets = new double[outputs * Width];
        private readonly double[] target = new double[quantizer.Outputs * quantizer.Inputs];
        private readonly double[] rounded = new double[quantizer.Outputs * quantizer.Inputs];

        // If scales are fitted: what blocks were rounded by, η; and Ŵ.
        private readonly double[] deviations = new double[quantizer.GroupInputs == 0 ? 0 : outputs * factor.Inputs];
        private readonly double[] decoded = new double[quantizer.GroupInputs == 0 ? 0 : outputs * factor.Inputs];
        private int count;

        public void Quantize(WeightMatrix matrix, int firstOutput, int outputCount, CancellationToken cancellationToken)
        {
            count = outputCount;
            matrix.ReadRows(firstOutput, count, weights);
            for (int group = 0; group < factor.GroupCount; group++)
            {
                for (int strip = factor.FirstStrip(group); strip < factor.FirstStrip(group + 1); strip++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    QuantizeStrip(strip, firstOutput);
                }

                if (quantizer.GroupInputs > 0)
                {
                    FitScales(group, firstOutput);
                }
            }
        }

        private void QuantizeStrip(int strip, int firstOutput)
        {
            var columns = factor.Order.Slice(factor.First(strip), factor.Width(strip));
            for (int row = 0; row < count; row++)
            {
                for (int j = 0; j < columns.Length; j++)
                {
                    targets[(row * Width) + j] = weights[(row * inputs) + columns[j]];
                }
            }

            factor.Subtract(strip, 0, errors, count, targets);
            for (int row = 0; row < count && planner is not null; row++)
            {
                planner.Plan(firstOutput + row, columns, targets.AsSpan(row * Width, columns.Length));
            }

            for (int row = 0; row < count; row += quantizer.Outputs)
            {
                int together = Math.Min(quantizer.Outputs, count - row);
                for (int j = 0; j < columns.Length; j += factor.BlockSize)
                {
                    int size = Math.Min(factor.BlockSize, columns.Length - j);
                    for (int output = 0; output < together; output++)
                    {
                        targets.AsSpan(((row + output) * Width) + j, size).CopyTo(target.AsSpan(output * size));
                    }

                    quantizer.Quantize(firstOutput + row, columns[j], target.AsSpan(0, together * size), rounded);
                    for (int output = 0; output < together; output++)
                    {
                        FeedBack(row + output, strip, j, rounded.AsSpan(output * size, size));
                    }
                }
            }
        }

        // Notes the errors of a block, and makes the rest of its strip up for them.
        private void FeedBack(int row, int strip, int at, ReadOnlySpan<double> values)
        {
            int first = factor.First(strip) + at, next = at + values.Length, rest = factor.Width(strip) - next;
            var others = targets.AsSpan((row * Width) + next, rest);
            for (int i = 0; i < values.Length; i++)
            {
                int place = (row * inputs) + first + i;
                double error = errors[place] = values[i] - weights[(row * inputs) + factor.Order[first + i]];
                if (deviations.Length > 0)
                {
                    (decoded[place], deviations[place]) = (values[i], values[i] - targets[(row * Width) + at + i]);
                }

                FixedOrder.AddProduct(-error, factor.Triangle(first + i, strip, next), others);
            }
        }

        // The loss Σ η D ηᵀ of a group whose Ŵ is multiplied by 1 + δ, what comes after making up for it: η becomes η + δ b with b = Ŵ U. So the best δ is
        // −Σ η D bᵀ / Σ b D bᵀ.
        private void FitScales(int group, int firstOutput)
        {
            int from = factor.First(factor.FirstStrip(group)), end = factor.First(factor.FirstStrip(group + 1));
            Span<(double Slope, double Curvature)> sums = new (double, double)[count];
            for (int strip = factor.FirstStrip(group); strip < factor.FirstStrip(group + 1); strip++)
            {
                int first = factor.First(strip), width = factor.Width(strip);
                for (int row = 0; row < count; row++)
                {
                    targets.AsSpan(row * Width, width).Clear();
                }

                factor.Subtract(strip, from, decoded, count, targets);
                for (int row = 0; row < count; row++)
                {
                    // −b
                    var products = targets.AsSpan(row * Width, width);
                    for (int j = 0; j < width; j++)
                    {
                        // Blocks of U are unit blocks: what a row of U has to the right in its own block is zero.
                        double value = decoded[(row * inputs) + first + j];
                        FixedOrder.AddProduct(-value, factor.Triangle(first + j, strip, j), products[j..]);
                    }

                    for (int j = 0; j < width; j += factor.BlockSize)
                    {
                        var block = products.Slice(j, Math.Min(factor.BlockSize, width - j));
                        sums[row].Slope += factor.Product(first + j, deviations.AsSpan((row * inputs) + first + j, block.Length), block);
                        sums[row].Curvature += factor.Product(first + j, block, block);
                    }
                }
            }

            for (int row = 0; row < count; row++)
            {
                double scale = 1 + (sums[row].Slope / sums[row].Curvature);
                if (scale > 0 && double.IsFinite(scale))
                {
                    quantizer.Rescale(firstOutput + row, factor.Order[from], scale);
                    for (int place = from; place < end; place++)
                    {
                        errors[(row * inputs) + place] = (decoded[(row * inputs) + place] * scale) - weights[(row * inputs) + factor.Order[place]];
                    }
                }
            }
        }
    }
}
