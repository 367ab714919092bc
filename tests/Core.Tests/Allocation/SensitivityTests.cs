using Compress.Core.Allocation;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Allocation;

public class SensitivityTests
{
    [Fact]
    public void OfProbesOnALineIsItsSlope()
    {
        var sensitivity = Sensitivity.Fit([(0.001, 0.003, 0), (0.002, 0.006, 0), (0.008, 0.024, 0)]);
        Assert.Equal(3, sensitivity.Alpha, 1e-12);
        Assert.Equal(0, sensitivity.StandardError, 1e-12);
    }

    // α = (1·1 + 2·3) / (1 + 4) = 1.4; residuals −0.4 and 0.2: √(0.2 / 1 / 5) = 0.2
    [Fact]
    public void HasTheStandardErrorOfALineThroughTheOrigin()
    {
        var sensitivity = Sensitivity.Fit([(1, 1, 0), (2, 3, 0)]);
        Assert.Equal(1.4, sensitivity.Alpha, 1e-12);
        Assert.Equal(0.2, sensitivity.StandardError, 1e-12);
    }

    // Errors of what was measured: (1·0.5 + 2·0.25) / 5 = 0.2, and √(0.2² + 0.2²).
    [Fact]
    public void HasThatOfWindowsAsWell()
    {
        Assert.Equal(0.2 * Math.Sqrt(2), Sensitivity.Fit([(1, 1, 0.5), (2, 3, 0.25)]).StandardError, 1e-12);
        Assert.Equal(0.1, Sensitivity.Fit([(0.01, 0.03, 0.001)]).StandardError, 1e-12);
    }

    [Fact]
    public void IsNotNegative()
    {
        var sensitivity = Sensitivity.Fit([(0.001, -0.001, 0), (0.002, 0.0001, 0)]);
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
        float[] weights = new float[60_000];
        model["a.weight"].ReadRows(0, 200, weights);
        float[] noisy = new NoiseProbe(model["a.weight"], size, 1).Changed(mirrored: false);
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

    [Fact]
    public void NoiseIsInProportionToRowsAndItsMirrorImageHasTheOtherSign()
    {
        using var folder = new TempFolder();
        float[] values = [.. TestModel.Gaussian(4000, 5).Select((value, i) => i < 2000 ? value : i < 3000 ? 100 * value : 0)];
        new TestModel().Add("a.weight", [4, 1000], values).Write(folder["m.safetensors"]);
        using var model = ModelFile.Open(folder["m.safetensors"]);
        var probe = new NoiseProbe(model["a.weight"], 0.01, 1);
        float[] plus = probe.Changed(mirrored: false), minus = probe.Changed(mirrored: true);
        for (int row = 0; row < 3; row++)
        {
            var indices = Enumerable.Range(row * 1000, 1000);
            double energy = indices.Sum(i => Math.Pow(values[i], 2)), noise = indices.Sum(i => Math.Pow(plus[i] - values[i], 2));
            Assert.Equal(0.01, noise / energy, 0.002);
            Assert.All(indices, i => Assert.Equal(values[i], (plus[i] + minus[i]) / 2, 1e-5 * Math.Abs(values[i]) + 1e-5));
        }

        Assert.All(plus[3000..], value => Assert.Equal(0, value));
    }
}
