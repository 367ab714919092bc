using Compress.Core.Numerics;

namespace Compress.Core.Tests.Numerics;

public class LloydMaxTests
{
    // Max 1960 and the exact table of the HIGGS notes; the last two are to the digits that were published.
    [Theory]
    [InlineData(2, 0.36338023, 1e-8)]
    [InlineData(3, 0.19017404, 1e-8)]
    [InlineData(4, 0.11748185, 1e-8)]
    [InlineData(5, 0.07994113, 1e-8)]
    [InlineData(6, 0.05797765, 1e-8)]
    [InlineData(7, 0.04400038, 1e-8)]
    [InlineData(8, 0.03454776, 1e-8)]
    [InlineData(12, 0.01633966, 1e-8)]
    [InlineData(16, 0.00950101, 1e-8)]
    [InlineData(32, 0.00250467, 1e-8)]
    [InlineData(64, 0.00064424, 1e-8)]
    [InlineData(128, 0.00016348, 1e-6)]
    [InlineData(256, 0.0000412, 1e-7)]
    public void MeanSquaredErrorIsThePublishedOne(int n, double expected, double tolerance) =>
        Assert.Equal(expected, MeanSquaredError(LloydMax.Levels(n)), tolerance);

    [Theory]
    [InlineData(2, new[] { 0.797885 })]
    [InlineData(3, new[] { 0, 1.224006 })]
    [InlineData(4, new[] { 0.452780, 1.510418 })]
    [InlineData(5, new[] { 0, 0.764568, 1.724147 })]
    [InlineData(6, new[] { 0.317716, 1.000106, 1.893595 })]
    [InlineData(7, new[] { 0, 0.560577, 1.188147, 2.033369 })]
    [InlineData(8, new[] { 0.245094, 0.756005, 1.343909, 2.151946 })]
    [InlineData(12, new[] { 0.168438, 0.511847, 0.876780, 1.285711, 1.783030, 2.498435 })]
    [InlineData(16, new[] { 0.128395, 0.388048, 0.656759, 0.942340, 1.256231, 1.618046, 2.069017, 2.732590 })]
    public void LevelsAreThePublishedOnes(int n, double[] expected)
    {
        double[] levels = LloydMax.Levels(n);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], levels[n - expected.Length + i], 1e-6);
        }
    }

    [Fact]
    public void EveryLevelIsTheMeanOfItsCell()
    {
        for (int n = 2; n <= 256; n++)
        {
            double[] c = LloydMax.Levels(n);
            for (int i = n / 2; i < n; i++)
            {
                double a = i == 0 ? double.NegativeInfinity : 0.5 * (c[i - 1] + c[i]);
                double b = i == n - 1 ? 40 : 0.5 * (c[i] + c[i + 1]);
                if (a < 0)
                {
                    continue; // the cell of level zero, by symmetry
                }

                double mean = (Normal.Density(a) - Normal.Density(b)) / (Normal.Tail(a) - Normal.Tail(b));
                Assert.Equal(mean, c[i], 1e-9);
            }
        }
    }

    [Fact]
    public void LevelsAreSymmetricAndAscend()
    {
        for (int n = 2; n <= 256; n++)
        {
            double[] c = LloydMax.Levels(n);
            for (int i = 0; i < n; i++)
            {
                Assert.Equal(-c[i], c[n - 1 - i]);
                Assert.True(i == 0 || c[i] > c[i - 1]);
            }
        }
    }

    [Fact]
    public void ErrorApproachesPanterDite()
    {
        // n² MSE tends to √3 π / 2 from below.
        double limit = Math.Sqrt(3) * Math.PI / 2;
        double at256 = 256 * 256 * MeanSquaredError(LloydMax.Levels(256));
        Assert.InRange(at256, 0.99 * limit, limit);
    }

    // At the optimum MSE = 1 − Σ P c²; summed over the positive half, with P by differences of tails.
    private static double MeanSquaredError(double[] c)
    {
        double sum = 0;
        for (int i = 0; i < c.Length; i++)
        {
            double a = i == 0 ? -40 : 0.5 * (c[i - 1] + c[i]);
            double b = i == c.Length - 1 ? 40 : 0.5 * (c[i] + c[i + 1]);
            double mass = Cumulative(b) - Cumulative(a);
            sum += mass * c[i] * c[i];
        }

        return 1 - sum;

        static double Cumulative(double x) => x < 0 ? Normal.Tail(-x) : 1 - Normal.Tail(x);
    }
}
