using System.Numerics.Tensors;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// Systems with more equations than unknowns: Householder's QR decomposition with column pivoting (Golub and Van Loan, "Matrix Computations", 5.4.1). The
/// same bits on every machine.
/// </summary>
internal static class LeastSquares
{
    /// <summary>The X of least <c>‖A X − B‖</c>. Unknowns that the equations do not determine, within rounding, are zero.</summary>
    /// <param name="a">A, <c>[rows, columns]</c>, row-major.</param>
    /// <param name="rows">Equations; may be fewer than unknowns.</param>
    /// <param name="columns">Unknowns.</param>
    /// <param name="b">B, <c>[rows, count]</c>, row-major.</param>
    /// <param name="count">Right-hand sides.</param>
    /// <returns>X, <c>[columns, count]</c>, row-major; null if there is a value that is not finite.</returns>
    public static double[]? Solve(ReadOnlySpan<double> a, int rows, int columns, ReadOnlySpan<double> b, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Length, (long)rows * columns);
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, (long)rows * count);
        if (!Finite.All(a) || !Finite.All(b))
        {
            return null;
        }

        // Columns as rows, so that each is contiguous; powers of two bring both sides near one.
        var (unknowns, exponentA) = Transposed(a, rows, columns);
        var (sides, exponentB) = Transposed(b, rows, count);
        int[] order = [.. Enumerable.Range(0, columns)];
        double[] diagonal = new double[Math.Min(rows, columns)];
        int rank = Factor(unknowns, sides, order, diagonal, rows);

        double[] x = new double[columns * count];
        for (int side = 0; side < count; side++)
        {
            var right = sides[side].AsSpan();
            for (int i = rank - 1; i >= 0; i--)
            {
                double value = right[i];
                for (int j = i + 1; j < rank; j++)
                {
                    value -= unknowns[order[j]][i] * right[j];
                }

                right[i] = value / diagonal[i];
                x[(order[i] * count) + side] = Math.ScaleB(right[i], exponentB - exponentA);
            }
        }

        return x;
    }

    private static (double[][] Columns, int Exponent) Transposed(ReadOnlySpan<double> matrix, int rows, int columns)
    {
        double largest = matrix.IsEmpty ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(matrix));
        int exponent = largest == 0 ? 0 : Math.ILogB(largest);
        double[][] result = new double[columns][];
        for (int j = 0; j < columns; j++)
        {
            result[j] = new double[rows];
            for (int i = 0; i < rows; i++)
            {
                result[j][i] = Math.ScaleB(matrix[(i * columns) + j], -exponent);
            }
        }

        return (result, exponent);
    }

    // Returns the rank. The column of greatest remaining norm comes next, the first of equals.
    private static int Factor(double[][] columns, double[][] sides, int[] order, double[] diagonal, int rows)
    {
        double least = 0;
        for (int k = 0; k < diagonal.Length; k++)
        {
            int pivot = k;
            double norm = -1;
            for (int j = k; j < order.Length; j++)
            {
                var rest = columns[order[j]].AsSpan(k);
                double squares = FixedOrder.Dot(rest, rest);
                (pivot, norm) = squares > norm ? (j, squares) : (pivot, norm);
            }

            norm = Math.Sqrt(norm);
            least = k == 0 ? Math.Max(rows, order.Length) * Math.ScaleB(norm, -52) : least;
            if (norm <= least)
            {
                return k;
            }

            (order[k], order[pivot]) = (order[pivot], order[k]);
            var v = columns[order[k]].AsSpan(k);
            double first = v[0];
            diagonal[k] = first >= 0 ? -norm : norm;
            v[0] = first >= 0 ? first + norm : first - norm;
            double factor = -1 / (norm * (norm + Math.Abs(first)));
            for (int j = k + 1; j < order.Length; j++)
            {
                var column = columns[order[j]].AsSpan(k);
                FixedOrder.AddProduct(factor * FixedOrder.Dot(v, column), v, column);
            }

            foreach (double[] side in sides)
            {
                FixedOrder.AddProduct(factor * FixedOrder.Dot(v, side.AsSpan(k)), v, side.AsSpan(k));
            }
        }

        return diagonal.Length;
    }
}
