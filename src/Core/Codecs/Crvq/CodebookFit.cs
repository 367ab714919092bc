using Compress.Core.Numerics;
using Compress.Core.Numerics.LinearAlgebra;
using Compress.Runtime;

namespace Compress.Core.Codecs.Crvq;

/// <summary>
/// The codebooks, and the scales of rows, of least error for codes that stay. All codebooks together are one linear least-squares problem, which
/// preconditioned conjugate gradients solve; the preconditioner is each vector's own block. AQLM takes steps of Adam instead.
/// </summary>
internal sealed class CodebookFit(AdditiveCode code, InputMetric metric)
{
    private const int MaxIterations = 6;

    // Of the squared gradient, in the preconditioner's metric.
    private const double Enough = 1e-6;

    // Fixed parts of the rows, so that sums do not depend on threads.
    private const int Parts = 16;

    private readonly int size = code.GroupSize;
    private readonly int[] offsets = Offsets(code);

    /// <summary>The error <c>Σ weight · e H eᵀ</c> as <see cref="AdditiveCode.Errors"/> has it.</summary>
    public double Error(CancellationToken cancellationToken) => Gradient(null, cancellationToken).Error;

    /// <summary>Fits the scales of all rows.</summary>
    public void FitScales(CancellationToken cancellationToken) => code.ForPanels((firstRow, count) =>
    {
        int columns = code.Columns;
        float[] sums = new float[count * columns], products = new float[count * columns];
        for (int row = 0; row < count; row++)
        {
            code.Decode(code.Books, firstRow + row, sums.AsSpan(row * columns, columns));
        }

        metric.Multiply(sums, count, products);
        for (int row = 0; row < count; row++)
        {
            var sum = sums.AsSpan(row * columns, columns);
            var product = products.AsSpan(row * columns, columns);
            var error = code.Errors.AsSpan((firstRow + row) * columns, columns);
            double scale = code.Scales[firstRow + row] + (Dot(error, product) / Dot(sum, product));
            if (scale > 0 && double.IsFinite(scale))
            {
                float change = (float)scale - code.Scales[firstRow + row];
                code.Scales[firstRow + row] = (float)scale;
                for (int j = 0; j < sum.Length; j++)
                {
                    error[j] -= change * sum[j];
                }
            }
        }
    }, cancellationToken);

    /// <summary>Fits all codebooks.</summary>
    public void FitBooks(CancellationToken cancellationToken)
    {
        double[] residual = Gradient(null, cancellationToken).Sums;
        double[]?[] blocks = Preconditioner(cancellationToken);
        double[] step = new double[residual.Length];
        double[] direction = Solve(blocks, residual);
        double length = FixedOrder.Dot(residual, direction), first = length;
        for (int iteration = 0; iteration < MaxIterations && length > Enough * first; iteration++)
        {
            double[] product = Gradient(Books(direction), cancellationToken).Sums;
            double curvature = FixedOrder.Dot(direction, product);
            double along = length / curvature;
            if (!(curvature > 0) || !double.IsFinite(along))
            {
                break;
            }

            FixedOrder.AddProduct(along, direction, step);
            FixedOrder.AddProduct(-along, product, residual);
            double[] solved = Solve(blocks, residual);
            double before = length;
            length = FixedOrder.Dot(residual, solved);
            FixedOrder.AddProduct(length / before, direction, solved);
            direction = solved;
        }

        for (int book = 0; book < code.Books.Length; book++)
        {
            for (int i = 0; i < code.Books[book].Length; i++)
            {
                code.Books[book][i] = (float)(code.Books[book][i] + step[offsets[book] + i]);
            }
        }

        code.UpdateErrors(cancellationToken);
    }

    private static int[] Offsets(AdditiveCode code)
    {
        int[] offsets = new int[code.Books.Length + 1];
        for (int book = 0; book < code.Books.Length; book++)
        {
            offsets[book + 1] = offsets[book] + code.Books[book].Length;
        }

        return offsets;
    }

    private float[][] Books(double[] values) =>
        [.. code.Books.Select((book, index) => Array.ConvertAll(values[offsets[index]..offsets[index + 1]], value => (float)value))];

    // Σ weight · t · (E H)_J into the vectors that groups J have, and Σ weight · E H Eᵀ; E of what codebooks of that direction give, or the errors.
    private (double[] Sums, double Error) Gradient(float[][]? direction, CancellationToken cancellationToken)
    {
        int columns = code.Columns;
        double[][] parts = new double[Parts][];
        double[] errors = new double[Parts];
        Parallel.For(0, Parts, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads, CancellationToken = cancellationToken }, part =>
        {
            int end = (int)((part + 1L) * code.Rows / Parts);
            double[] sums = parts[part] = new double[offsets[^1]];
            float[] decoded = new float[direction is null ? 0 : AdditiveCode.PanelRows * columns], products = new float[AdditiveCode.PanelRows * columns];
            for (int firstRow = (int)((long)part * code.Rows / Parts); firstRow < end; firstRow += AdditiveCode.PanelRows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int count = Math.Min(AdditiveCode.PanelRows, end - firstRow);
                for (int row = 0; row < count && direction is not null; row++)
                {
                    var sum = decoded.AsSpan(row * columns, columns);
                    code.Decode(direction, firstRow + row, sum);
                    foreach (ref float value in sum)
                    {
                        value *= code.Scales[firstRow + row];
                    }
                }

                var rows = direction is null ? code.Errors.AsSpan(firstRow * columns, count * columns) : decoded.AsSpan(0, count * columns);
                metric.Multiply(rows, count, products);
                for (int row = 0; row < count; row++)
                {
                    var product = products.AsSpan(row * columns, columns);
                    double weight = code.Weights[firstRow + row];
                    errors[part] += weight * Dot(rows.Slice(row * columns, columns), product);
                    Scatter(firstRow + row, weight * code.Scales[firstRow + row], product, sums);
                }
            }
        });

        double[] total = new double[offsets[^1]];
        foreach (double[] sums in parts)
        {
            FixedOrder.AddProduct(1, sums, total);
        }

        double error = 0;
        foreach (double value in errors)
        {
            error += value;
        }

        return (total, error);
    }

    private void Scatter(int row, double factor, ReadOnlySpan<float> values, double[] sums)
    {
        for (int book = 0; book < code.Books.Length; book++)
        {
            int groups = code.GroupsOf(book);
            var codes = code.Codes[book].AsSpan(row * groups, groups);
            for (int group = 0; group < groups; group++)
            {
                var sum = sums.AsSpan(offsets[book] + (codes[group] * size), size);
                var value = values.Slice(group * size, size);
                for (int k = 0; k < value.Length; k++)
                {
                    sum[k] += factor * value[k];
                }
            }
        }
    }

    // Σ weight · t² · H_JJ over the groups J that have a vector, factored: L of L Lᵀ; null for vectors that nothing has.
    private double[]?[] Preconditioner(CancellationToken cancellationToken)
    {
        double[]?[] factors = new double[offsets[^1] / size][];
        float[] block = new float[size * size];
        for (int book = 0; book < code.Books.Length; book++)
        {
            int groups = code.GroupsOf(book), entries = code.Books[book].Length / size, first = offsets[book] / size;
            double[] uses = new double[entries];
            for (int group = 0; group < groups; group++)
            {
                Array.Clear(uses);
                for (int row = 0; row < code.Rows; row++)
                {
                    uses[code.Codes[book][(row * groups) + group]] += code.Weights[row] * code.Scales[row] * code.Scales[row];
                }

                metric.ReadBlock(group, block);
                for (int entry = 0; entry < entries; entry++)
                {
                    if (uses[entry] > 0)
                    {
                        double[] sum = factors[first + entry] ??= new double[size * size];
                        for (int i = 0; i < sum.Length; i++)
                        {
                            sum[i] += uses[entry] * block[i];
                        }
                    }
                }
            }
        }

        return Array.ConvertAll(factors, sum => sum is not null && Cholesky.TryFactor(sum, size, cancellationToken) ? sum : null);
    }

    private double[] Solve(double[]?[] factors, double[] right)
    {
        double[] solution = new double[right.Length];
        for (int entry = 0; entry < factors.Length; entry++)
        {
            if (factors[entry] is { } factor)
            {
                var x = solution.AsSpan(entry * size, size);
                for (int i = 0; i < size; i++)
                {
                    double value = right[(entry * size) + i];
                    for (int j = 0; j < i; j++)
                    {
                        value -= factor[(i * size) + j] * x[j];
                    }

                    x[i] = value / factor[(i * size) + i];
                }

                for (int i = size - 1; i >= 0; i--)
                {
                    double value = x[i];
                    for (int j = i + 1; j < size; j++)
                    {
                        value -= factor[(j * size) + i] * x[j];
                    }

                    x[i] = value / factor[(i * size) + i];
                }
            }
        }

        return solution;
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }
}
