using System.Numerics.Tensors;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// Eigenvalues and eigenvectors of a symmetric matrix: a tridiagonal matrix, then implicit QL steps (Golub and Van Loan, "Matrix Computations", 8.3;
/// Martin and Wilkinson, "The implicit QL algorithm", 1968). The same bits on every machine, whatever the number of threads.
/// </summary>
internal sealed class SymmetricEigen
{
    // Two or three are usual.
    private const int MaxSteps = 60;

    private SymmetricEigen(double[] values, double[] vectors) => (Values, Vectors) = (values, vectors);

    /// <summary>The eigenvalues, the greatest first.</summary>
    public double[] Values { get; }

    /// <summary>
    /// <c>[n, n]</c>: row i is the eigenvector of <c>Values[i]</c>. They are orthonormal; of the two signs each has the one that makes its element of greatest
    /// magnitude positive.
    /// </summary>
    public double[] Vectors { get; }

    /// <summary>Decomposes a matrix.</summary>
    /// <param name="matrix"><c>[n, n]</c>, row-major, symmetric.</param>
    /// <param name="n">Rows and columns.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Null if the matrix has a value that is not finite.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static SymmetricEigen? Of(ReadOnlySpan<double> matrix, int n, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(matrix.Length, (long)n * n);
        if (!Finite.All(matrix))
        {
            return null;
        }

        // A power of two brings values near one, so that no square overflows or vanishes.
        double largest = n == 0 ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude(matrix));
        int exponent = largest == 0 ? 0 : Math.ILogB(largest);
        double[] work = new double[matrix.Length];
        for (int i = 0; i < work.Length; i++)
        {
            work[i] = Math.ScaleB(matrix[i], -exponent);
        }

        var tridiagonal = new Tridiagonal(work, n, cancellationToken);
        var rotations = new PlaneRotations(n);
        Diagonalize(tridiagonal.Diagonal, tridiagonal.Beside, rotations, cancellationToken);
        double[] vectors = rotations.ToMatrix();
        tridiagonal.Rotate(vectors, cancellationToken);
        return Sorted(Array.ConvertAll(tridiagonal.Diagonal, value => Math.ScaleB(value, exponent)), vectors, work);
    }

    // d: the diagonal, becomes the eigenvalues. e: what stands beside it.
    private static void Diagonalize(double[] d, double[] e, PlaneRotations rotations, CancellationToken cancellationToken)
    {
        // Against the norm of all: of what is small, Householder's reflections have left rounding only.
        double negligible = 0;
        for (int i = 0; i < d.Length; i++)
        {
            negligible = Math.Max(negligible, Math.ScaleB(Math.Abs(d[i]) + Math.Abs(e[i]), -53));
        }

        for (int first = 0; first < d.Length; first++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int step = 0; BlockEnd(e, first, negligible) is var last && last > first; step++)
            {
                if (step == MaxSteps)
                {
                    throw new InvalidOperationException($"eigenvalue {first} of {d.Length} has not converged in {MaxSteps} steps");
                }

                Step(d, e, first, last, rotations);
            }
        }
    }

    private static int BlockEnd(double[] e, int first, double negligible)
    {
        int last = first;
        while (last < e.Length - 1 && Math.Abs(e[last]) > negligible)
        {
            last++;
        }

        return last;
    }

    // One QL step with Wilkinson's shift on rows first … last.
    private static void Step(double[] d, double[] e, int first, int last, PlaneRotations rotations)
    {
        double g = (d[first + 1] - d[first]) / (2 * e[first]);
        double r = Math.Sqrt((g * g) + 1);
        g = d[last] - d[first] + (e[first] / (g + (g < 0 ? -r : r)));
        double sin = 1, cos = 1, p = 0;
        for (int i = last - 1; i >= first; i--)
        {
            double f = sin * e[i], b = cos * e[i];
            r = Math.Sqrt((f * f) + (g * g));
            e[i + 1] = r;
            if (r == 0)
            {
                d[i + 1] -= p;
                e[last] = 0;
                return;
            }

            (sin, cos) = (f / r, g / r);
            g = d[i + 1] - p;
            r = ((d[i] - g) * sin) + (2 * cos * b);
            p = sin * r;
            d[i + 1] = g + p;
            g = (cos * r) - b;
            rotations.Add(i, cos, sin);
        }

        d[first] -= p;
        e[first] = g;
        e[last] = 0;
    }

    private static SymmetricEigen Sorted(double[] values, double[] vectors, double[] destination)
    {
        int n = values.Length;
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => values[i])];
        for (int i = 0; i < n; i++)
        {
            var from = vectors.AsSpan(order[i] * n, n);
            var to = destination.AsSpan(i * n, n);
            int largest = 0;
            for (int j = 1; j < n; j++)
            {
                largest = Math.Abs(from[j]) > Math.Abs(from[largest]) ? j : largest;
            }

            for (int j = 0; j < n; j++)
            {
                to[j] = from[largest] < 0 ? -from[j] : from[j];
            }
        }

        return new([.. order.Select(i => values[i])], destination);
    }
}
