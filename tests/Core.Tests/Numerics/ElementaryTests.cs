using Compress.Core.Numerics;

namespace Compress.Core.Tests.Numerics;

/// <summary>Beside the platform's functions, which are within an ulp or two of the truth.</summary>
public class ElementaryTests
{
    private static IEnumerable<double> Points(double from, double to) => Enumerable.Range(0, 3001).Select(i => from + ((to - from) * i / 3000));

    [Fact]
    public void ExpAgreesWithTheLibrary() =>
        Assert.All(Points(-699, 709.7), x => Assert.Equal(1, Elementary.Exp(x) / Math.Exp(x), 2e-15));

    [Fact]
    public void LogAgreesWithTheLibrary()
    {
        Assert.All(Points(0.001, 3), x => Assert.InRange(Elementary.Log(x) - Math.Log(x), -4e-16 * (1 + Math.Abs(Math.Log(x))), 4e-16 * (1 + Math.Abs(Math.Log(x)))));
        Assert.All(Points(-700, 700), x => Assert.Equal(x, Elementary.Log(Math.Exp(x)), 3e-13));
        Assert.Equal(0, Elementary.Log(1));
    }

    [Fact]
    public void PowAgreesWithTheLibrary() =>
        Assert.All(Points(0, 1), y => Assert.Equal(1, Elementary.Pow(500000, y) / Math.Pow(500000, y), 2e-14));

    [Fact]
    public void SineAndCosineAgreeWithTheLibrary() => Assert.All(Points(-10, 10).Concat(Points(0, 1e6)), x =>
    {
        var (sin, cos) = Elementary.SinCos(x);
        Assert.Equal(Math.Sin(x), sin, 4e-16);
        Assert.Equal(Math.Cos(x), cos, 4e-16);
    });

    [Theory]
    [InlineData(double.NaN, double.NaN)]
    [InlineData(double.NegativeInfinity, 0)]
    [InlineData(-1000, 0)]
    [InlineData(0, 1)]
    [InlineData(709.9, double.PositiveInfinity)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity)]
    public void ExpAtItsEnds(double x, double expected) => Assert.Equal(expected, Elementary.Exp(x));

    [Fact]
    public void VectorsOfExponentialsAreWithinTwoUlps()
    {
        float[] x = [.. Points(-87, 88.7).Select(value => (float)value)], y = new float[x.Length];
        ElementaryVectors.Exp(x, y);
        Assert.All(x.Zip(y), pair => Assert.Equal(1, pair.Second / Math.Exp(pair.First), 2.4e-7));
    }

    [Fact]
    public void VectorsOfSigmoidsAreWithinTwoUlps()
    {
        float[] x = [.. Points(-80, 80).Select(value => (float)value)], y = new float[x.Length];
        ElementaryVectors.Sigmoid(x, y);
        Assert.All(x.Zip(y), pair => Assert.Equal(1, pair.Second * (1 + Math.Exp(-pair.First)), 3.6e-7));
    }

    [Fact]
    public void VectorsOfExponentialsAtTheirEnds()
    {
        float[] x = [float.NaN, float.NegativeInfinity, -200, -103, 0, 88.8f, 1000, float.PositiveInfinity, float.NaN, 0];
        ElementaryVectors.Exp(x, x);
        Assert.Equal([float.NaN, 0, 0, float.Epsilon, 1, float.PositiveInfinity, float.PositiveInfinity, float.PositiveInfinity, float.NaN, 1], x);
    }
}
