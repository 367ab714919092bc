using Compress.Runtime;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// The Cholesky factor of a symmetric matrix: A = L Lᵀ, L lower triangular. Panels of columns are brought up to date with one product each, whose
/// rows are spread over threads; the bits of the result do not depend on how, nor on the machine.
/// </summary>
internal static unsafe class Cholesky
{
    private const int PanelWidth = 32;

    /// <summary>Rows of a panel that a thread takes at a time.</summary>
    private const int RowBlock = 128;

    /// <summary>Factors a matrix in place.</summary>
    /// <param name="matrix">
    /// <c>[n, n]</c>, row-major, symmetric; only its lower triangle is read. Receives L, zero above the diagonal; garbage if it cannot be factored.
    /// </param>
    /// <param name="n">Rows and columns.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>False if the matrix is not positive definite within rounding, or has a value that is not finite.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static bool TryFactor(double[] matrix, int n, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(matrix.LongLength, (long)n * n);
        double least = LeastPivot(matrix, n);
        double[] tiles = new double[TiledProduct.TiledLength(n, PanelWidth)];
        fixed (double* pinned = matrix, pinnedTiles = tiles)
        {
            double* a = pinned, tiled = pinnedTiles;
            for (int first = 0; first < n; first += PanelWidth)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int start = first, width = Math.Min(PanelWidth, n - first), below = first + width;
                double* panel = a + ((long)first * n);
                TiledProduct.Tile(panel, 1, n, first, width, tiled);
                TiledProduct.Subtract(panel, n, width, tiled, first, width, panel + first, n);
                if (!TryFactorBlock(panel + first, n, width, least))
                {
                    return false;
                }

                Parallel.For(0, (n - below + RowBlock - 1) / RowBlock, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads }, index =>
                {
                    int row = below + (index * RowBlock), rows = Math.Min(RowBlock, n - row);
                    double* block = a + ((long)row * n);
                    TiledProduct.Subtract(block, n, rows, tiled, start, width, block + start, n);
                    Triangular.SolveTransposed(panel + start, n, width, block + start, n, rows);
                });
            }
        }

        for (int row = 0; row < n; row++)
        {
            matrix.AsSpan((int)(((long)row * n) + row + 1), n - row - 1).Clear();
        }

        return true;
    }

    // Below that a pivot is nothing but the rounding of what was subtracted (Higham, "Accuracy and Stability of Numerical Algorithms", 10.3).
    private static double LeastPivot(double[] matrix, int n)
    {
        double largest = 0;
        for (int i = 0; i < n; i++)
        {
            largest = Math.Max(largest, matrix[((long)i * n) + i]);
        }

        return n * Math.ScaleB(largest, -52);
    }

    private static bool TryFactorBlock(double* a, long stride, int width, double least)
    {
        for (int j = 0; j < width; j++)
        {
            double* row = a + (j * stride);
            double pivot = row[j] - Dot(row, row, j);
            if (!(pivot > least))
            {
                return false;
            }

            row[j] = Math.Sqrt(pivot);
            for (int i = j + 1; i < width; i++)
            {
                double* lower = a + (i * stride);
                lower[j] = (lower[j] - Dot(lower, row, j)) / row[j];
            }
        }

        return true;
    }

    private static double Dot(double* a, double* b, int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
