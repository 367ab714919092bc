using Compress.Core.Codecs.Feedback;
using Compress.Core.Tests.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Codecs.Feedback;

public class SharedFactorsTests
{
    private static readonly FeedbackSettings Settings = new(1, true);

    private readonly SharedFactors factors = new(1 << 20);

    [Fact]
    public void EqualMomentsAreFactoredOnce()
    {
        double[] h = Matrices.Sample(40, 80);
        Assert.Same(Get(h), Get([.. h]));
    }

    [Fact]
    public void ThreadsWaitForTheOneThatIsAtIt()
    {
        double[] h = Matrices.Sample(90, 180, 3);
        var all = new FeedbackFactor[8];
        Parallel.For(0, all.Length, new ParallelOptions { MaxDegreeOfParallelism = all.Length }, i => all[i] = Get([.. h]));
        Assert.All(all, factor => Assert.Same(all[0], factor));
    }

    // Whatever a factor depends on tells it from others.
    [Fact]
    public void WhatDiffersIsAnotherFactor()
    {
        double[] h = Matrices.Sample(40, 80, 5);
        var factor = Get(h);
        Assert.NotSame(factor, Get(Matrices.Sample(40, 80, 6)));
        Assert.NotSame(factor, factors.Get(h, 40, 2, 0, Settings, CancellationToken.None));
        Assert.NotSame(factor, factors.Get(h, 40, 1, 16, Settings, CancellationToken.None));
        Assert.NotSame(factor, factors.Get(h, 40, 1, 0, new(2, true), CancellationToken.None));
        Assert.NotSame(factor, factors.Get(h, 40, 1, 0, new(1, false), CancellationToken.None));
        Assert.NotSame(factor, factors.Get(h, 40, 1, 0, Settings, CancellationToken.None, ("same", () => h)));
    }

    // 300 inputs take 360 kB of U's upper half and 150 kB of its triangles.
    [Fact]
    public void OnlyTheLastAreKept()
    {
        double[] h = Matrices.Autoregressive(300, 0.5), other = Matrices.Autoregressive(300, 0.6), third = Matrices.Autoregressive(300, 0.7);
        var (factor, last) = (Get(h), Get(other));
        Assert.InRange(factor.Bytes, 1 << 18, 1 << 19);
        Assert.Same(factor, Get(h));
        var newest = Get(third);
        Assert.Same(newest, Get(third));
        Assert.Same(factor, Get(h));
        Assert.NotSame(last, Get(other));
    }

    [Fact]
    public void NoneIsKeptAfterClear()
    {
        double[] h = Matrices.Sample(40, 80, 8);
        var factor = Get(h);
        factors.Clear();
        Assert.NotSame(factor, Get(h));
    }

    [Fact]
    public void CancelledFactorIsMadeByTheNext()
    {
        double[] h = Matrices.Sample(40, 80, 7);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => factors.Get(h, 40, 1, 0, Settings, source.Token));
        Assert.Equal(40, Get(h).Inputs);
    }

    private FeedbackFactor Get(double[] h) => factors.Get(h, (int)Math.Sqrt(h.Length), 1, 0, Settings, CancellationToken.None);
}
