using Compress.Core.Allocation;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Allocation;

public class SensitivityTests
{
    [Fact]
    public void OfProbesOnALineIsItsSlope()
    {
        var sensitivity = Sensitivity.Fit([(0.001, 0.003), (0.002, 0.006), (0.008, 0.024)]);
        Assert.Equal(3, sensitivity.Alpha, 1e-12);
        Assert.Equal(0, sensitivity.StandardError, 1e-12);
    }

    // α = (1·1 + 2·3) / (1 + 4) = 1.4; residuals −0.4 and 0.2: √(0.2 / 1 / 5) = 0.2
    [Fact]
    public void HasTheStandardErrorOfALineThroughTheOrigin()
    {
        var sensitivity = Sensitivity.Fit([(1, 1), (2, 3)]);
        Assert.Equal(1.4, sensitivity.Alpha, 1e-12);
        Assert.Equal(0.2, sensitivity.StandardError, 1e-12);
    }

    [Fact]
    public void IsNotNegative()
    {
        var sensitivity = Sensitivity.Fit([(0.001, -0.001), (0.002, 0.0001)]);
        Assert.Equal(0, sensitivity.Alpha);
        Assert.True(sensitivity.Clamped);
    }

    [Theory]
    [InlineData(0.001)]
    [InlineData(0.04)]
    public void NoiseHasTheSizeAskedForAndIsIndependentOfTheWeights(double size)
    {
        using var folder = new TempFolder();
        new TestModel().AddGaussian("a.weight", 200, 300, 5).Write(folder["m.safetensors"]);
        using var model = ModelFile.Open(folder["m.safetensors"]);
        float[] weights = new float[60_000], noisy = new float[60_000];
        model["a.weight"].ReadRows(0, 200, weights);
        NoiseProbe.Of(model["a.weight"], size, 1).Dequantize(noisy);
        double energy = 0, noise = 0, product = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            double off = (double)noisy[i] - weights[i];
            energy += (double)weights[i] * weights[i];
            noise += off * off;
            product += off * weights[i];
        }

        Assert.Equal(size, noise / energy, size * 0.03); // five standard deviations of a mean of 60,000 squares
        Assert.InRange(product / Math.Sqrt(noise * energy), -0.02, 0.02);
    }
}
