using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;

namespace Compress.Core.Tests.Evaluation;

public class LossesOfAModel
{
    private static readonly TokenWindow[] Windows = [new([0, 1, 2, 3], 1), new([3, 2, 1], 2)];

    [Fact]
    public void UniformPredictionsHaveThePerplexityOfTheVocabulary()
    {
        var sums = Evaluator.Measure(new Fixed(7, (_, _) => 3.5f), Windows, null, CancellationToken.None);
        Assert.Equal(3 + 1, sums.Tokens);
        Assert.Equal(7, sums.Perplexity, 1e-6);
    }

    [Fact]
    public void EachTokenIsPredictedFromThoseBefore()
    {
        // The model is sure that each token is followed by the next number: right in the first window, wrong in the second.
        var model = new Fixed(4, (token, next) => next == token + 1 ? 100 : 0);
        Assert.Equal(0, Evaluator.Measure(model, [Windows[0]], null, CancellationToken.None).Nll, 1e-6);
        Assert.Equal(100, Evaluator.Measure(model, [Windows[1]], null, CancellationToken.None).Nll, 1e-3);
    }

    [Fact]
    public void LargeLogitsDoNotOverflow() =>
        Assert.Equal(2, Evaluator.Measure(new Fixed(2, (_, _) => 3e38f), [new([0, 1], 1)], null, CancellationToken.None).Perplexity, 1e-6);

    [Fact]
    public void DivergenceIsThatOfTheDistributions()
    {
        // Two tokens with probabilities (3/4, 1/4) and (1/2, 1/2): KL = 3/4 ln 3/2 + 1/4 ln 1/2.
        var p = new Fixed(2, (_, next) => next == 0 ? MathF.Log(3) : 0);
        var q = new Fixed(2, (_, _) => 0);
        var sums = Evaluator.Compare(p, q, [new([0, 1, 0], 1)], null, CancellationToken.None);
        Assert.Equal((0.75 * Math.Log(1.5)) + (0.25 * Math.Log(0.5)), sums.Kl, 1e-7);
        Assert.Equal(Math.Log(4) + Math.Log(4.0 / 3), sums.Source.Nll, 1e-6);
        Assert.Equal(2 * Math.Log(2), sums.Packed.Nll, 1e-6);
        Assert.Equal(0, Evaluator.Compare(p, p, Windows[..0], null, CancellationToken.None).Divergence);
        Assert.Equal(0, Evaluator.Compare(p, p, [new([0, 1, 0], 1)], null, CancellationToken.None).Kl);
    }

    [Fact]
    public void CancellationIsHeard() => Assert.Throws<OperationCanceledException>(
        () => Evaluator.Measure(new Fixed(7, (_, _) => 0), Windows, null, new CancellationToken(canceled: true)));

    /// <summary>A model whose logits follow from the last token alone.</summary>
    private sealed class Fixed(int vocabulary, Func<int, int, float> logit) : ICausalModel
    {
        public int VocabularySize => vocabulary;

        public int MaxPositions => 8;

        public void Forward(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            for (int i = 0; i < logits.Length; i++)
            {
                logits[i] = logit(tokens[i / vocabulary], i % vocabulary);
            }
        }
    }
}
