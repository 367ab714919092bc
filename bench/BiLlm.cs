using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Bench;

/// <summary>
/// BiLLM (Huang et al., arXiv 2402.04291): signs in blocks of 128 columns. Salient columns have a second sign for what the first leaves, of the others the small and the
/// large weights have their own scales; the errors of a block are made good in the columns behind it. A comparison only: nothing is packed.
/// </summary>
internal sealed class BiLlm
{
    private const int BlockColumns = 128, MostSalient = 50, Thresholds = 80;

    private const double Damping = 0.01;

    private readonly double[] weights;
    private readonly double[] inverse; // R⁻¹, the upper factor of H⁻¹
    private readonly int rows;
    private readonly int columns;

    /// <param name="values">The weights, <c>[rows, columns]</c>; replaced by what they become.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="moments">The second moments of the inputs, or null for the identity.</param>
    public BiLlm(float[] values, int rows, int columns, double[]? moments)
    {
        (this.rows, this.columns) = (rows, columns);
        weights = Array.ConvertAll(values, value => (double)value);
        inverse = new double[columns * columns];
        if (moments is null || DampedCholesky.Upper(moments, [.. Enumerable.Range(0, columns)], Damping, out _) is not { } factor)
        {
            for (int i = 0; i < columns; i++)
            {
                inverse[(i * columns) + i] = 1;
            }
        }
        else
        {
            Invert(factor);
        }

        for (int first = 0; first < columns; first += BlockColumns)
        {
            Quantize(first, Math.Min(BlockColumns, columns - first));
        }

        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)weights[i];
        }
    }

    /// <summary>
    /// What it takes: a sign for each weight; a second one, or which of the two scales; means and scales of four signs in 16 bits for each row of a block; which columns are salient.
    /// </summary>
    public static long Bits(int rows, int columns) => (rows * ((2L * columns) + (4L * 2 * 16 * ((columns + BlockColumns - 1) / BlockColumns)))) + columns;

    private void Invert(double[] factor)
    {
        for (int i = columns - 1; i >= 0; i--)
        {
            var row = inverse.AsSpan(i * columns, columns);
            row[i] = 1;
            for (int k = i + 1; k < columns; k++)
            {
                double f = factor[(i * columns) + k];
                for (int j = k; f != 0 && j < columns; j++)
                {
                    row[j] -= f * inverse[(k * columns) + j];
                }
            }

            for (int j = i; j < columns; j++)
            {
                row[j] /= factor[(i * columns) + i];
            }
        }
    }

    private void Quantize(int first, int width)
    {
        double[] block = new double[rows * width], quantized = new double[rows * width];
        double[] salience = new double[width];
        for (int row = 0; row < rows; row++)
        {
            weights.AsSpan((row * columns) + first, width).CopyTo(block.AsSpan(row * width));
            for (int j = 0; j < width; j++)
            {
                double ratio = block[(row * width) + j] / inverse[((first + j) * columns) + first + j];
                salience[j] += ratio * ratio;
            }
        }

        int[] order = [.. Enumerable.Range(0, width).OrderByDescending(j => salience[j])];
        double least = double.PositiveInfinity;
        var salient = new bool[width];
        for (int count = 1; count <= Math.Min(MostSalient, width); count++)
        {
            bool[] candidate = new bool[width];
            order.Take(count).ToList().ForEach(j => candidate[j] = true);
            double error = Binarize(block, width, candidate, null, quantized);
            (least, salient) = error < least ? (error, candidate) : (least, salient);
        }

        double largest = block.Max(Math.Abs), threshold = 0;
        least = double.PositiveInfinity;
        for (int step = 0; step < Thresholds; step++)
        {
            double candidate = largest * (0.1 + (0.8 * step / (Thresholds - 1)));
            double error = Binarize(block, width, salient, candidate, quantized);
            (least, threshold) = error < least ? (error, candidate) : (least, threshold);
        }

        Binarize(block, width, salient, threshold, quantized);
        Parallel.For(0, rows, row =>
        {
            var later = weights.AsSpan(row * columns, columns);
            for (int j = 0; j < width; j++)
            {
                double error = (block[(row * width) + j] - quantized[(row * width) + j]) / inverse[((first + j) * columns) + first + j];
                for (int k = first + width; k < columns; k++)
                {
                    later[k] -= error * inverse[((first + j) * columns) + k];
                }

                later[first + j] = quantized[(row * width) + j];
            }
        });
    }

    // The error. Without a threshold all weights of the other columns share a scale.
    private double Binarize(double[] block, int width, bool[] salient, double? threshold, double[] quantized)
    {
        double[] errors = new double[rows];
        Parallel.For(0, rows, row =>
        {
            var values = block.AsSpan(row * width, width);
            var result = quantized.AsSpan(row * width, width);
            Span<int> kinds = stackalloc int[width];
            for (int j = 0; j < width; j++)
            {
                kinds[j] = salient[j] ? 2 : threshold is { } t && Math.Abs(values[j]) > t ? 1 : 0;
            }

            result.Clear();
            AddSigns(values, kinds, 0, result);
            AddSigns(values, kinds, 1, result);
            AddSigns(values, kinds, 2, result);
            AddSigns(values, kinds, 2, result);
            for (int j = 0; j < width; j++)
            {
                errors[row] += (values[j] - result[j]) * (values[j] - result[j]);
            }
        });
        return errors.Sum();
    }

    // Mean and mean deviation, both as halves, of what is left of the weights of a kind.
    private static void AddSigns(ReadOnlySpan<double> values, ReadOnlySpan<int> kinds, int kind, Span<double> result)
    {
        double sum = 0, deviation = 0;
        int count = 0;
        for (int j = 0; j < values.Length; j++)
        {
            (sum, count) = kinds[j] == kind ? (sum + values[j] - result[j], count + 1) : (sum, count);
        }

        double mean = (double)(Half)(sum / Math.Max(count, 1));
        for (int j = 0; j < values.Length; j++)
        {
            deviation += kinds[j] == kind ? Math.Abs(values[j] - result[j] - mean) : 0;
        }

        double scale = (double)(Half)(deviation / Math.Max(count, 1));
        for (int j = 0; j < values.Length; j++)
        {
            result[j] += kinds[j] != kind ? 0 : mean + (values[j] - result[j] >= mean ? scale : -scale);
        }
    }
}
