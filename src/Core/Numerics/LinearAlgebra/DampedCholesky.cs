namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// A triangular factor of a positive semidefinite matrix H, such as the second moments of a layer's inputs, that need not have full rank:
/// <c>damping · mean diagonal</c> is added to the diagonal, ten times as much again and again until there is one (GPTQ, arXiv 2210.17323, adds 1 %
/// once). Rows and columns whose diagonal element is zero (inputs that are always zero) take no part: theirs is as if they were alone.
/// </summary>
internal static class DampedCholesky
{
    /// <summary>
    /// The upper factor R of H + damping, <c>H = R Rᵀ</c>. Its inverse is the upper Cholesky factor of H⁻¹ that GPTQ computes: R says the same without an
    /// inverse.
    /// </summary>
    /// <param name="h"><c>[n, n]</c>, row-major, symmetric.</param>
    /// <param name="order">The order of rows and columns: R's row i is of H's row <c>order[i]</c>.</param>
    /// <param name="damping">A part of the mean diagonal element, at least 0.</param>
    /// <param name="used">The damping with which there was a factor.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns><c>[n, n]</c>, row-major, zero below the diagonal; null if H has a value that is not finite, or whose products are not.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static double[]? Upper(double[] h, ReadOnlySpan<int> order, double damping, out double used, CancellationToken cancellationToken = default)
    {
        int n = order.Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(h.LongLength, (long)n * n);
        ArgumentOutOfRangeException.ThrowIfNegative(damping);
        used = damping;
        if (!Finite.All(h))
        {
            return null;
        }

        double mean = MeanDiagonal(h, n);
        double[] work = new double[h.Length];
        while (true)
        {
            // From the last to the first, so that the lower factor is the upper one read backwards.
            for (int i = 0; i < n; i++)
            {
                long from = (long)order[n - 1 - i] * n;
                var row = work.AsSpan((int)((long)i * n), n);
                for (int j = 0; j < i; j++)
                {
                    row[j] = h[from + order[n - 1 - j]];
                }

                double diagonal = h[from + order[n - 1 - i]];
                row[i] = diagonal == 0 ? mean : diagonal + (used * mean);
            }

            if (Cholesky.TryFactor(work, n, cancellationToken))
            {
                Array.Reverse(work);
                return work;
            }

            if (!double.IsFinite(used * mean))
            {
                return null;
            }

            used = used == 0 ? 1e-6 : used * 10;
        }
    }

    // Of the inputs that are not dead; 1 if all are.
    private static double MeanDiagonal(double[] h, int n)
    {
        double sum = 0;
        int live = 0;
        for (long i = 0; i < n; i++)
        {
            double value = Math.Abs(h[(i * n) + i]);
            sum += value;
            live += value == 0 ? 0 : 1;
        }

        return live == 0 ? 1 : sum / live;
    }
}
