using Compress.Core.Models;
using Compress.Core.Numerics;
using Compress.Core.Numerics.LinearAlgebra;
using Compress.Runtime;

namespace Compress.Core.Codecs.Feedback;

/// <summary>
/// Rounds the weights of a linear layer one block of inputs after another, and lets each make up for the errors of those before it, so that the
/// layer's outputs change least for inputs with second moments H: GPTQ (Frantar et al., arXiv 2210.17323), which is LDLQ (QuIP, arXiv 2307.13304) in the
/// order of columns from the first to the last. With H = U D Uᵀ (<see cref="BlockLdl"/>) block k is rounded from <c>W_k + Σ_{j&lt;k} (W − Ŵ)_j U_jk</c>. No
/// inverse is needed, sums have a fixed order, and outputs do not depend on each other: the same bits on every machine, whatever the number of threads.
/// </summary>
internal sealed unsafe class ErrorFeedback
{
    /// <summary>Columns whose share of earlier errors is one product.</summary>
    private const int StripWidth = 64;

    /// <summary>Outputs that a thread takes at a time: each strip of U is read once for all of them.</summary>
    private const int PanelOutputs = 64;

    private readonly int inputs;
    private readonly int blockSize;
    private readonly int[] order;

    // Of U, what lies above the strips, in tiles, strip after strip; and the rows of their own triangles, [inputs, StripWidth].
    private readonly double[] tiles;
    private readonly long[] firstTile;
    private readonly double[] triangles;

    /// <param name="moments">H, <c>[inputs, inputs]</c>, symmetric. An input whose moment is zero was never seen: it is rounded for itself.</param>
    /// <param name="inputs">Inputs of the layer.</param>
    /// <param name="blockSize">That of the quantizer; divides 64.</param>
    /// <param name="damping">What is added to H's diagonal, as a part of its mean; more if H is singular still.</param>
    /// <param name="activationOrder">True to begin with the inputs of greatest moment, false to go from the first to the last.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ArgumentException">H has a value that is not finite.</exception>
    public ErrorFeedback(double[] moments, int inputs, int blockSize, double damping, bool activationOrder, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(StripWidth % blockSize, 0);
        (this.inputs, this.blockSize) = (inputs, blockSize);
        order = activationOrder ? GreatestFirst(moments, inputs, blockSize) : [.. Enumerable.Range(0, inputs)];
        double[] factor = DampedCholesky.Upper(moments, order, damping, out _, cancellationToken)
            ?? throw new ArgumentException("second moments that are not finite", nameof(moments));
        factor = new BlockLdl(factor, inputs, blockSize).Factor;

        int strips = (inputs + StripWidth - 1) / StripWidth;
        firstTile = new long[strips + 1];
        for (int strip = 0; strip < strips; strip++)
        {
            firstTile[strip + 1] = firstTile[strip] + TiledProduct.TiledLength(strip * StripWidth, Width(strip));
        }

        tiles = new double[firstTile[strips]];
        triangles = new double[checked(inputs * StripWidth)];
        fixed (double* pinned = factor, pinnedTiles = tiles)
        {
            for (int strip = 0; strip < strips; strip++)
            {
                int first = strip * StripWidth;
                TiledProduct.Tile(pinned + first, inputs, 1, first, Width(strip), pinnedTiles + firstTile[strip]);
                for (int row = first; row < first + Width(strip); row++)
                {
                    factor.AsSpan((int)(((long)row * inputs) + first), Width(strip)).CopyTo(triangles.AsSpan(row * StripWidth));
                }
            }
        }
    }

    /// <summary>Rounds all weights.</summary>
    /// <param name="weights">The weights, <c>[out, in]</c>.</param>
    /// <param name="transposed">True if they are stored as <c>[in, out]</c>.</param>
    /// <param name="quantizer">Rounds them.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Quantize<TQuantizer>(WeightMatrix weights, bool transposed, TQuantizer quantizer, CancellationToken cancellationToken)
        where TQuantizer : IBlockQuantizer
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(quantizer.BlockSize, blockSize);
        var rows = transposed ? Transposed(weights) : weights;
        ArgumentOutOfRangeException.ThrowIfNotEqual(rows.Columns, inputs);
        var options = new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads, CancellationToken = cancellationToken };
        Parallel.For(0, (rows.Rows + PanelOutputs - 1) / PanelOutputs, options, () => new Panel(inputs), (index, _, panel) =>
        {
            panel.First = index * PanelOutputs;
            panel.Count = Math.Min(PanelOutputs, rows.Rows - panel.First);
            rows.ReadRows(panel.First, panel.Count, panel.Weights);
            for (int strip = 0; strip < firstTile.Length - 1; strip++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                QuantizeStrip(panel, strip, quantizer);
            }

            return panel;
        }, _ => { });
    }

    // Blocks by the sum of their moments, the first of equals first; one that is not full stays last.
    private static int[] GreatestFirst(double[] moments, int inputs, int blockSize)
    {
        double[] sums = new double[(inputs + blockSize - 1) / blockSize];
        for (int i = 0; i < inputs; i++)
        {
            sums[i / blockSize] += moments[((long)i * inputs) + i];
        }

        return
        [
            .. Enumerable.Range(0, sums.Length)
                .OrderBy(block => (block + 1) * blockSize > inputs)
                .ThenByDescending(block => sums[block])
                .SelectMany(block => Enumerable.Range(block * blockSize, Math.Min(blockSize, inputs - (block * blockSize)))),
        ];
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

    private int Width(int strip) => Math.Min(StripWidth, inputs - (strip * StripWidth));

    private void QuantizeStrip<TQuantizer>(Panel panel, int strip, TQuantizer quantizer)
        where TQuantizer : IBlockQuantizer
    {
        int first = strip * StripWidth, width = Width(strip);
        var columns = order.AsSpan(first, width);
        for (int row = 0; row < panel.Count; row++)
        {
            var weights = panel.Weights.AsSpan(row * inputs, inputs);
            var targets = panel.Targets.AsSpan(row * StripWidth, width);
            for (int j = 0; j < width; j++)
            {
                targets[j] = weights[columns[j]];
            }
        }

        fixed (double* errors = panel.Errors, targets = panel.Targets, pinnedTiles = tiles)
        {
            TiledProduct.Subtract(errors, inputs, panel.Count, pinnedTiles + firstTile[strip], first, width, targets, StripWidth);
        }

        Span<double> rounded = stackalloc double[blockSize];
        for (int row = 0; row < panel.Count; row++)
        {
            var weights = panel.Weights.AsSpan(row * inputs, inputs);
            var targets = panel.Targets.AsSpan(row * StripWidth, width);
            var errors = panel.Errors.AsSpan((row * inputs) + first, width);
            for (int j = 0; j < width; j += blockSize)
            {
                int count = Math.Min(blockSize, width - j);
                quantizer.Quantize(panel.First + row, columns[j], targets.Slice(j, count), rounded);
                for (int i = 0; i < count; i++)
                {
                    double error = errors[j + i] = rounded[i] - weights[columns[j + i]];
                    FixedOrder.AddProduct(-error, triangles.AsSpan(((first + j + i) * StripWidth) + j + count, width - j - count), targets[(j + count)..]);
                }
            }
        }
    }

    /// <summary>The outputs that a thread is at.</summary>
    private sealed class Panel(int inputs)
    {
        public int First { get; set; }

        public int Count { get; set; }

        public float[] Weights { get; } = new float[checked(PanelOutputs * inputs)];

        /// <summary>Ŵ − W of what has been rounded, in the order of rounding.</summary>
        public double[] Errors { get; } = new double[PanelOutputs * inputs];

        /// <summary>What the weights of a strip are to be rounded from.</summary>
        public double[] Targets { get; } = new double[PanelOutputs * StripWidth];
    }
}
