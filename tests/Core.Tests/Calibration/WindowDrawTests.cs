using Compress.Core.Calibration;
using Compress.Runtime.Numerics;

namespace Compress.Core.Tests.Calibration;

public sealed class DrawnWindows
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(37, 0)]
    [InlineData(500, 7)]
    [InlineData(5049, 7)] // one less than all
    public void AreTheFirstInRandomOrderThatHaveTheTokens(int tokens, ulong seed)
    {
        // Lengths 1 to 100; by the definition, with all of them at hand.
        var all = Enumerable.Range(0, 100).Select(i => Enumerable.Repeat(i, 1 + (i * 37 % 100)).ToArray()).ToList();
        var expected = new SortedDictionary<int, int[]>();
        int left = tokens;
        foreach (int i in Enumerable.Range(0, all.Count).OrderBy(i => Signs.Word(seed, i)).TakeWhile(_ => left > 0))
        {
            expected.Add(i, all[i][..Math.Min(left, all[i].Length)]);
            left -= expected[i].Length;
        }

        var draw = new WindowDraw(tokens, seed);
        all.ForEach(draw.Add);
        Assert.Equal(expected.Values, draw.Windows());
        Assert.True(draw.LeavesSome);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(31)]
    public void AreAllIfThereAreNoMore(int tokens)
    {
        var draw = new WindowDraw(tokens, 0);
        int[][] all = [[.. Enumerable.Range(0, 10)], [.. Enumerable.Range(10, 20)]];
        Array.ForEach(all, draw.Add);
        Assert.Equal(all, draw.Windows());
        Assert.False(draw.LeavesSome);
    }

    [Fact]
    public void AreNoneOfAnEmptyOne() => Assert.Empty(new WindowDraw(10, 0).Windows());
}
