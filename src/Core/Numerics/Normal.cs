namespace Compress.Core.Numerics;

/// <summary>
/// The standard normal distribution from + − × ÷ and √ alone, so that the results are the same bits on every platform
/// (<see cref="Math.Exp"/> is the C library's, whose last bit differs between systems). Relative error below 1e-14.
/// </summary>
internal static class Normal
{
    private const double InverseSqrt2Pi = 0.39894228040143267794;

    /// <summary>φ(x), the density.</summary>
    public static double Density(double x) => InverseSqrt2Pi * ExpOfNegative(0.5 * x * x);

    /// <summary>Q(x) = 1 − Φ(x), the upper tail, for x ≥ 0.</summary>
    public static double Tail(double x)
    {
        if (x < 2.5)
        {
            // Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/(3·5) + …): all terms positive (Abramowitz & Stegun 26.2.11).
            double term = x, sum = x;
            for (int k = 3; term > sum * 1e-17; k += 2)
            {
                term *= x * x / k;
                sum += term;
            }

            return 0.5 - (Density(x) * sum);
        }

        // Q(x) = φ(x) / (x + 1/(x + 2/(x + 3/…))) (26.2.14), from the far end. The depth suffices for x ≥ 2.5.
        double fraction = x;
        for (int k = 90; k > 0; k--)
        {
            fraction = x + (k / fraction);
        }

        return Density(x) / fraction;
    }

    /// <summary>e^(−x) for x ≥ 0.</summary>
    private static double ExpOfNegative(double x)
    {
        const double Ln2High = 0.693147180369123816490, Ln2Low = 1.90821492927058770002e-10; // fdlibm's split
        if (x > 700)
        {
            return 0;
        }

        int power = (int)((x * 1.4426950408889634) + 0.5);
        double r = -(x - (power * Ln2High) - (power * Ln2Low)); // |r| ≤ 0.35
        double sum = 1;
        for (int k = 14; k > 0; k--)
        {
            sum = 1 + (r / k * sum);
        }

        return sum * BitConverter.Int64BitsToDouble((long)(1023 - power) << 52);
    }
}
