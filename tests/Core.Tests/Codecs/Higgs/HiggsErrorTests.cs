using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Codecs.Higgs;

public class HiggsErrorTests
{
    private const int Rows = 128, Columns = 4096;

    private static readonly Lazy<float[]> Gaussian = new(() => RandomWeights.Gaussian(Rows * Columns));
    private static readonly Lazy<float[]> Laplace = new(() => RandomWeights.Laplace(Rows * Columns));
    private static readonly Lazy<float[]> StudentT5 = new(() => RandomWeights.StudentT5(Rows * Columns));
    private static readonly Lazy<float[]> Mixture = new(() => RandomWeights.LognormalMixture(Rows * Columns));

    // The least mean squared error for normal weights: Lloyd–Max exactly; p ≥ 2 as trained by an independent program.
    [Theory]
    [InlineData(1, 2, 0.36338023)]
    [InlineData(1, 4, 0.11748185)]
    [InlineData(1, 8, 0.03454776)]
    [InlineData(1, 16, 0.00950101)]
    [InlineData(1, 32, 0.00250467)]
    [InlineData(1, 64, 0.00064424)]
    [InlineData(1, 128, 0.00016348)]
    [InlineData(1, 256, 0.0000412)]
    [InlineData(2, 16, 0.107615)]
    [InlineData(2, 64, 0.029700)]
    [InlineData(2, 256, 0.007772)]
    [InlineData(2, 88, 0.021952)]
    [InlineData(3, 830, 0.019852)]
    [InlineData(4, 256, 0.096520)]
    [InlineData(8, 256, 0.321893)]
    public void GaussianWeightsHaveTheGridsError(int p, int n, double expected) =>
        Assert.InRange(Error(Gaussian.Value, p, n) / expected, 0.99, 1.01);

    // Measured with blocks of 1024 and their own RMS by an independent implementation: a little below the grids' own error,
    // because a block that is divided by its own RMS has shorter tails than the normal distribution. Given to two or three digits.
    [Theory]
    [InlineData(1, 4, 0.1170)]
    [InlineData(1, 8, 0.0344)]
    [InlineData(1, 16, 0.0094)]
    public void LaplaceAndStudentWeightsHaveTheSameError(int p, int n, double expected)
    {
        Assert.InRange(Error(Gaussian.Value, p, n) / expected, 0.985, 1.015);
        Assert.InRange(Error(Laplace.Value, p, n) / expected, 0.985, 1.015);
        Assert.InRange(Error(StudentT5.Value, p, n) / expected, 0.985, 1.015);
    }

    [Theory]
    [InlineData(2, 16, 0.107615)]
    [InlineData(2, 64, 0.029700)]
    [InlineData(2, 256, 0.007772)]
    [InlineData(1, 256, 0.0000412)]
    public void LaplaceAndStudentWeightsHaveNoMoreThanTheGridsError(int p, int n, double expected)
    {
        Assert.InRange(Error(Laplace.Value, p, n) / expected, 0.98, 1.01);
        Assert.InRange(Error(StudentT5.Value, p, n) / expected, 0.98, 1.01);
    }

    // A few huge weights in a block stay visible after the rotation: by the same independent measurement
    // 0.1135, 0.0333, 0.0091 with the rotation, and 0.475, 0.314, 0.236 without.
    [Theory]
    [InlineData(1, 4, 0.11748185)]
    [InlineData(1, 16, 0.00950101)]
    [InlineData(2, 256, 0.007772)]
    public void HeavyMixturesHaveNoMoreThanTheGridsError(int p, int n, double expected) =>
        Assert.InRange(Error(Mixture.Value, p, n) / expected, 0.9, 1.01);

    private static double Error(float[] weights, int p, int n) =>
        Encoders.Of("higgs", ("p", p), ("n", n)).RelativeError(weights, Rows, Columns);
}
