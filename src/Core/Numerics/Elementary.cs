namespace Compress.Core.Numerics;

/// <summary>
/// Elementary functions from + − × ÷ alone, so that the results are the same bits on every platform: those of <see cref="Math"/> are the C
/// library's, whose last bit differs between systems. Relative error below 1e-15.
/// </summary>
internal static class Elementary
{
    private const double Ln2High = 0.693147180369123816490, Ln2Low = 1.90821492927058770002e-10; // fdlibm's split

    /// <summary>e^x; 0 below −700.</summary>
    public static double Exp(double x)
    {
        if (x is < -700 or > 709)
        {
            return x < 0 ? 0 : x > 709.782712893384 ? double.PositiveInfinity : Exp(x - 1) * Math.E;
        }

        int power = double.IsNaN(x) ? 0 : (int)((x * 1.4426950408889634) + (x < 0 ? -0.5 : 0.5));
        double r = x - (power * Ln2High) - (power * Ln2Low); // |r| ≤ 0.35
        double sum = 1;
        for (int k = 14; k > 0; k--)
        {
            sum = 1 + (r / k * sum);
        }

        return sum * BitConverter.Int64BitsToDouble((long)(1023 + power) << 52);
    }

    /// <summary>ln x for normal x > 0.</summary>
    public static double Log(double x)
    {
        long bits = BitConverter.DoubleToInt64Bits(x);
        int power = (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | (1023L << 52));
        if (m > 1.4142135623730951)
        {
            (m, power) = (m / 2, power + 1);
        }

        // ln m = 2 (s + s³/3 + s⁵/5 + …), |s| ≤ 0.172
        double s = (m - 1) / (m + 1), square = s * s, sum = 0;
        for (int k = 23; k > 1; k -= 2)
        {
            sum = square * ((1.0 / k) + sum);
        }

        return (power * Ln2High) + ((power * Ln2Low) + (2 * s * sum) + (2 * s));
    }

    /// <summary>x^y for normal x > 0. Relative error below 1e-15 · (1 + |y ln x|).</summary>
    public static double Pow(double x, double y) => Exp(y * Log(x));

    /// <summary>Sine and cosine of up to a million radians.</summary>
    public static (double Sin, double Cos) SinCos(double x)
    {
        // π/2 in pieces of 33 bits, so that products with small integers are exact (fdlibm's split)
        const double First = 1.57079632673412561417, Second = 6.07710050630396597660e-11, Third = 2.02226624879595063154e-21;
        long quarter = (long)Math.Floor((x * 0.63661977236758134) + 0.5);
        double r = x - (quarter * First) - (quarter * Second) - (quarter * Third), square = r * r; // |r| ≤ π/4
        double sin = 1, cos = 1;
        for (int k = 18; k > 1; k -= 2)
        {
            sin = 1 - (square / (k * (k + 1)) * sin);
            cos = 1 - (square / (k * (k - 1)) * cos);
        }

        sin *= r;
        return (quarter & 3) switch
        {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        };
    }
}
