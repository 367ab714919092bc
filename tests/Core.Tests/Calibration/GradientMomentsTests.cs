using Compress.Core.Calibration;

namespace Compress.Core.Tests.Calibration;

public class GradientMomentsTests
{
    [Fact]
    public void OfEachWeightAreMeansOfSquares()
    {
        var moments = new GradientMoments(2, 3);
        moments.Add([1, 2, 3, 4, 5, 6]);
        moments.Add([0, -2, 1, 0, 0, -8]);
        Assert.Equal([0.5, 4, 5, 8, 12.5, 50], moments.Means());
        Assert.Equal((2, 0), (moments.Passes, moments.Skipped));
    }

    /// <summary>The last group of a side has fewer weights, and its mean is over those.</summary>
    [Theory]
    [InlineData(2, 1, new[] { (1 + 16) / 2.0, (4 + 25) / 2.0, (9 + 36) / 2.0, 49, 64, 81 })]
    [InlineData(1, 2, new[] { (1 + 4) / 2.0, 9, (16 + 25) / 2.0, 36, (49 + 64) / 2.0, 81 })]
    [InlineData(2, 2, new[] { (1 + 4 + 16 + 25) / 4.0, (9 + 36) / 2.0, (49 + 64) / 2.0, 81 })]
    [InlineData(100, 100, new[] { 285 / 9.0 })]
    public void OfGroupsAreMeansOverTheirWeights(int rows, int columns, double[] expected)
    {
        var moments = new GradientMoments(3, 3, rows, columns);
        moments.Add([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        Assert.Equal(expected, moments.Means());
    }

    [Fact]
    public void LeaveOutPassesThatAreNotFinite()
    {
        var moments = new GradientMoments(1, 2);
        moments.Add([1, float.NaN]);
        moments.Add([float.NegativeInfinity, 1]);
        moments.Add([3, 0]);
        Assert.Equal([9, 0], moments.Means());
        Assert.Equal((1, 2), (moments.Passes, moments.Skipped));
    }

    /// <summary>The squares of the largest and smallest floats are beyond floats.</summary>
    [Fact]
    public void AreDoubles()
    {
        var moments = new GradientMoments(1, 2);
        moments.Add([3e38f, 1e-40f]);
        Assert.Equal([(double)3e38f * 3e38f, (double)1e-40f * 1e-40f], moments.Means());
    }

    [Fact]
    public void OfNothingAreNothing()
    {
        var moments = new GradientMoments(0, 5);
        moments.Add([]);
        Assert.Empty(moments.Means());
        Assert.Equal([double.NaN], new GradientMoments(1, 1).Means());
        Assert.Throws<ArgumentException>(() => moments.Add([1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientMoments(1, 1, 0));
    }
}
