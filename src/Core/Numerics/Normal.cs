namespace Compress.Core.Numerics;

/// <summary>
/// The standard normal distribution from + − × ÷ and √ alone, so that the results are the same bits on every platform
/// (see <see cref="Elementary"/>). Relative error below 1e-14.
/// </summary>
internal static class Normal
{
    private const double InverseSqrt2Pi = 0.39894228040143267794;

    /// <summary>φ(x), the density.</summary>
    public static double Density(double x) => InverseSqrt2Pi * Elementary.Exp(-0.5 * x * x);

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
}
