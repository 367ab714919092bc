using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.Calibration;

public class MomentsOfInputs
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(3, 1)]
    [InlineData(25, 255)]
    [InlineData(24, 256)]
    [InlineData(49, 257)]
    [InlineData(100, 600)]
    public void AreMeansOverTokens(int width, int tokens)
    {
        float[] x = TestModel.Gaussian(width * tokens, width);
        var moments = Of(x, width, tokens, tokens);
        float[] second = moments.SecondMoments(), means = moments.Means();
        Assert.Equal((tokens, 0), (moments.Tokens, moments.Skipped));
        for (int i = 0; i < width; i++)
        {
            Assert.Equal(Enumerable.Range(0, tokens).Average(t => (double)x[(t * width) + i]), means[i], 1e-6);
            for (int j = 0; j < width; j++)
            {
                Assert.Equal(Enumerable.Range(0, tokens).Average(t => (double)x[(t * width) + i] * x[(t * width) + j]), second[(i * width) + j], 1e-5);
                Assert.Equal(second[(i * width) + j], second[(j * width) + i]);
            }
        }
    }

    /// <summary>A constant has no rounding: 3² · 1000 / 1000.</summary>
    [Fact]
    public void OfAConstantAreExact()
    {
        var moments = Of([.. Enumerable.Repeat(3f, 5 * 1000)], 5, 1000, 100);
        Assert.All(moments.SecondMoments(), value => Assert.Equal(9f, value));
        Assert.All(moments.Means(), value => Assert.Equal(3f, value));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(2e18f)] // whose square is near the end of the range
    public void LeaveOutAndCountTokensThatAreNotUsable(float odd)
    {
        const int Width = 30, Tokens = 300;
        float[] x = TestModel.Gaussian(Width * Tokens, 1), bad = [.. x];
        int[] odds = [0, 17, 256, 299];
        foreach (int token in odds)
        {
            bad[(token * Width) + (token % Width)] = odd;
        }

        var moments = Of(bad, Width, Tokens, Tokens);
        float[] rest = [.. Enumerable.Range(0, Tokens).Except(odds).SelectMany(token => x[(token * Width)..((token + 1) * Width)])];
        var expected = Of(rest, Width, Tokens - 4, Tokens - 4);
        Assert.Equal((Tokens - 4, 4), (moments.Tokens, moments.Skipped));
        Assert.Equal(expected.SecondMoments(), moments.SecondMoments());
        Assert.Equal(expected.Means(), moments.Means());
    }

    [Fact]
    public void OfHugeInputsStayFinite()
    {
        var moments = Of([.. Enumerable.Repeat(1e18f, 2 * 256)], 2, 256, 256);
        Assert.All(moments.SecondMoments(), value => Assert.Equal(1e36f, value, 1e31f));
        Assert.Equal(0, moments.Skipped);
    }

    [Fact]
    public void DoNotDependOnThreads()
    {
        float[] x = TestModel.Gaussian(100 * 700, 3);
        int before = RuntimeOptions.MaxThreads;
        try
        {
            RuntimeOptions.MaxThreads = 1;
            var one = Of(x, 100, 700, 350);
            RuntimeOptions.MaxThreads = 3;
            var three = Of(x, 100, 700, 350);
            Assert.Equal(one.SecondMoments(), three.SecondMoments());
            Assert.Equal(one.Means(), three.Means());
        }
        finally
        {
            RuntimeOptions.MaxThreads = before;
        }
    }

    private static InputMoments Of(float[] x, int width, int tokens, int atOnce)
    {
        var moments = new InputMoments(width, StatisticNames.AllKinds);
        for (int token = 0; token < tokens; token += atOnce)
        {
            int count = Math.Min(atOnce, tokens - token);
            moments.Add(x.AsSpan(token * width, count * width), count);
        }

        return moments;
    }
}
