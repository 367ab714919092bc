using Compress.Core.Numerics;

namespace Compress.Core.Tests.Numerics;

public class NormalTests
{
    // Values of Q to 16 digits (Wichura's AS 241 tables; mpmath agrees).
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(0.5, 0.3085375387259869)]
    [InlineData(1, 0.15865525393145705)]
    [InlineData(2, 0.022750131948179207)]
    [InlineData(2.4999, 0.006211418374944586)]
    [InlineData(2.5, 0.006209665325776132)]
    [InlineData(3, 0.0013498980316300946)]
    [InlineData(5, 2.866515718791939e-07)]
    [InlineData(8, 6.22096057427178e-16)]
    public void TailIsExact(double x, double expected) => Assert.Equal(1, Normal.Tail(x) / expected, 1e-13);

    [Fact]
    public void DensityAgreesWithTheLibrary()
    {
        for (double x = 0; x < 20; x += 0.01)
        {
            double expected = Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
            Assert.Equal(1, Normal.Density(x) / expected, 1e-13);
        }
    }

    [Fact]
    public void FarTailsVanish()
    {
        Assert.Equal(0, Normal.Density(40));
        Assert.Equal(0, Normal.Tail(40));
    }
}
