namespace Compress.Core.Numerics;

/// <summary>
/// The scalar quantizer of least mean squared error for N(0, 1) (Max 1960, Lloyd 1982): every level is the mean of its
/// cell, every boundary lies midway between levels. The density is log-concave, so there is exactly one.
/// </summary>
internal static class LloydMax
{
    /// <summary>
    /// The levels in ascending order, symmetric about zero, to about 1e-11. Lloyd's own iteration needs ten thousand steps at
    /// n = 256; Newton's method on the same equations, whose matrix is tridiagonal, needs about ten.
    /// </summary>
    /// <param name="n">The number of levels, 2 to 256.</param>
    public static double[] Levels(int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(n, 256);
        double[] positive = Start(n);
        for (int iteration = 0; NewtonStep(positive, n % 2 == 1) > 1e-8; iteration++)
        {
            if (iteration == 100)
            {
                throw new InvalidOperationException($"Lloyd–Max levels for n = {n} did not converge");
            }
        }

        double[] levels = new double[n];
        for (int i = 0; i < positive.Length; i++)
        {
            levels[n - positive.Length + i] = positive[i];
            levels[positive.Length - 1 - i] = -positive[i];
        }

        return levels;
    }

    /// <summary>
    /// The positive levels of the asymptotically best quantizer: its point density is φ^(1/3) up to a factor, which is the
    /// density of N(0, 3) (Panter and Dite 1951).
    /// </summary>
    private static double[] Start(int n)
    {
        double[] positive = new double[n / 2];
        for (int i = 0; i < positive.Length; i++)
        {
            double tail = (positive.Length - i - 0.5) / n, low = 0, high = 8;
            for (int halving = 0; halving < 30; halving++)
            {
                double middle = 0.5 * (low + high);
                (low, high) = Normal.Tail(middle) > tail ? (middle, high) : (low, middle);
            }

            positive[i] = Math.Sqrt(3) * low;
        }

        return positive;
    }

    /// <summary>One Newton step for c_i = mean of cell i, over the positive levels; returns the largest change.</summary>
    private static double NewtonStep(double[] c, bool zeroIsALevel)
    {
        int count = c.Length;
        double[] upper = new double[count]; // of the matrix, after elimination
        double[] step = new double[count];
        double a = zeroIsALevel ? 0.5 * c[0] : 0, densityA = Normal.Density(a), tailA = Normal.Tail(a);
        for (int i = 0; i < count; i++)
        {
            bool last = i == count - 1;
            double b = last ? double.PositiveInfinity : 0.5 * (c[i] + c[i + 1]);
            double densityB = last ? 0 : Normal.Density(b), tailB = last ? 0 : Normal.Tail(b);
            double mass = tailA - tailB;
            double mean = (densityA - densityB) / mass;

            // Each boundary moves by half of what its two levels move; the innermost one stays, or follows c[0] alone.
            double byA = 0.5 * densityA * (mean - a) / mass;
            double byB = last ? 0 : 0.5 * densityB * (b - mean) / mass;
            double left = i == 0 ? 0 : -byA;
            double diagonal = 1 - byB - (i > 0 || zeroIsALevel ? byA : 0);
            double pivot = diagonal - (i == 0 ? 0 : left * upper[i - 1]);
            upper[i] = -byB / pivot;
            step[i] = (mean - c[i] - (i == 0 ? 0 : left * step[i - 1])) / pivot;
            (a, densityA, tailA) = (b, densityB, tailB);
        }

        double largest = 0;
        for (int i = count - 1; i >= 0; i--)
        {
            step[i] -= i == count - 1 ? 0 : upper[i] * step[i + 1];
            largest = Math.Max(largest, Math.Abs(step[i]));
        }

        // A full step from far away could tear the order of the levels; a short one cannot.
        double damping = 1;
        for (int i = 0; i < count; i++)
        {
            double gap = i == 0 ? c[0] : c[i] - c[i - 1];
            double change = i == 0 ? step[0] : step[i] - step[i - 1];
            damping = change < 0 ? Math.Min(damping, 0.5 * gap / -change) : damping;
        }

        for (int i = 0; i < count; i++)
        {
            c[i] += damping * step[i];
        }

        return largest;
    }
}
