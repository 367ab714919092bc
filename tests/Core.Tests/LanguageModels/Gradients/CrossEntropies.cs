using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Gradients;

public class CrossEntropies
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 61)]
    [InlineData(40, 1)]
    public void HaveTheGradientOfFiniteDifferences(int tokens, int vocabulary)
    {
        float[] logits = TestModel.Gaussian(tokens * vocabulary, 1), gradient = [.. logits];
        int[] targets = [.. Enumerable.Range(0, tokens).Select(t => t * 3 % vocabulary)];
        double loss = CrossEntropy.Backward(gradient, targets);
        double[] exact = [.. logits];
        Assert.Equal(Loss(exact), loss, 1e-6 * tokens);
        for (int i = 0; i < exact.Length; i++)
        {
            const double Step = 1e-5;
            exact[i] += Step;
            double above = Loss(exact);
            exact[i] -= 2 * Step;
            Assert.Equal((above - Loss(exact)) / (2 * Step), gradient[i], 1e-6);
            exact[i] += Step;
        }

        double Loss(double[] values) => targets.Select((target, t) =>
            Math.Log(Enumerable.Range(0, vocabulary).Sum(i => Math.Exp(values[(t * vocabulary) + i]))) - values[(t * vocabulary) + target]).Sum();
    }

    [Fact]
    public void OfTokensWithoutATargetAreZero()
    {
        float[] logits = [1, 2, 3, float.NaN, 0, 0, 5, 5, 5];
        Assert.Equal(2 * Math.Log(3), CrossEntropy.Backward(logits.AsSpan(6), [1]) + Math.Log(3), 1e-6);
        CrossEntropy.Backward(logits, [-1, -1, -1]);
        Assert.All(logits, value => Assert.Equal(0f, value));
    }

    [Fact]
    public void OfLargeLogitsAreExact()
    {
        float[] logits = [3e38f, -3e38f, 0, -1e30f, 1e30f, 0];
        Assert.Equal(1e30, CrossEntropy.Backward(logits, [0, 2]), 1e24);
        Assert.Equal([0, 0, 0, 0, 1, -1], logits);
    }

    [Fact]
    public void OfNothingAreNothing() => Assert.Equal(0, CrossEntropy.Backward([], []));

    [Fact]
    public void RefuseWhatDoesNotFit()
    {
        Assert.Throws<ArgumentException>(() => CrossEntropy.Backward(new float[7], [1, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => CrossEntropy.Backward(new float[6], [1, 3]));
    }
}
