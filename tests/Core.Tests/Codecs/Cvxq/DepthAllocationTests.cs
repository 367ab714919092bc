using Compress.Core.Codecs.Cvxq;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Codecs.Cvxq;

public class DepthAllocationTests
{
    private static readonly double[] Distortions = Array.ConvertAll(RandomWeights.LognormalMixture(500), w => (double)w * w);
    private static readonly int[] Sizes = [.. Enumerable.Repeat(64, 500)];

    [Theory]
    [InlineData(0.5)]
    [InlineData(2.5)]
    [InlineData(4)]
    [InlineData(7.9)]
    public void EveryBitGivenReturnsMoreThanAnyLeftOut(double average)
    {
        byte[] depths = DepthAllocation.Choose(Distortions, Sizes, average * 64 * 500);
        double given = Enumerable.Range(0, 500).Where(g => depths[g] > 0).Min(g => DepthAllocation.Return(Distortions[g], depths[g] - 1));
        double leftOut = Enumerable.Range(0, 500).Where(g => depths[g] < 8).Max(g => DepthAllocation.Return(Distortions[g], depths[g]));
        Assert.True(given >= leftOut, $"{given} {leftOut}");
        Assert.Equal(average * 500, depths.Sum(depth => depth), 0.0);
    }

    // ½ log2(G² S² / λ), rounded to whole bits: what is left of the costs is alike but for a bit.
    [Fact]
    public void UnclampedGroupsCostAlikeWithinABit()
    {
        byte[] depths = DepthAllocation.Choose(Distortions, Sizes, 3 * 64 * 500);
        double[] costs = [.. Enumerable.Range(0, 500).Where(g => depths[g] is > 0 and < 8).Select(g => Distortions[g] * Math.Pow(4, -depths[g]))];
        Assert.True(costs.Length > 400);
        Assert.InRange(costs.Max() / costs.Min(), 1, 4);
    }

    // B = ½ log2(G² S² / λ): powers of four have integer depths, and equal costs.
    [Fact]
    public void PowersOfFourEndEqual() =>
        Assert.Equal([0, 0, 1, 2, 3, 8], DepthAllocation.Choose([0, 1, 4, 16, 64, 1e9], [10, 10, 10, 10, 10, 10], 140));

    [Fact]
    public void BitsAreNeverExceeded() => Assert.Equal([1, 0], DepthAllocation.Choose([1, 1], [10, 10], 19));
}
