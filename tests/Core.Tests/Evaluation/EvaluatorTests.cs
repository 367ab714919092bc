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

    [Fact]
    public void LongVocabulariesGoBlockByBlock()
    {
        // 9 million entries: blocks of one token. All logits of the window would take three times as much, and those of both models twice that.
        const int Vocabulary = 9_000_000;
        var model = new Fixed(Vocabulary, (_, _) => 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var sums = Evaluator.Compare(model, model, [new([0, 1, 2, 3], 2)], null, CancellationToken.None);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 5L * Vocabulary * sizeof(float)); // a block and a buffer each
        Assert.Equal((2 * 2, 1), (model.Rows, model.MostRows)); // none of the token whose prediction is not counted
        Assert.Equal(Vocabulary, sums.Source.Perplexity, Vocabulary * 1e-6);
    }

    [Fact]
    public void BlocksAddUpToTheWindow()
    {
        // Two blocks, of three tokens and of one, against the same in double precision.
        const int Vocabulary = 5_000_000;
        static float Logit(int token, int next) => next < 16 ? ((token * 7) + (next * 3)) % 11 : -100;
        int[] tokens = [3, 1, 4, 1, 5];
        double expected = tokens.Skip(1).Select((next, i) => Math.Log(Enumerable.Range(0, 16).Sum(other => Math.Exp(Logit(tokens[i], other)))) - Logit(tokens[i], next)).Sum();
        var model = new Fixed(Vocabulary, Logit);
        Assert.Equal(expected, Evaluator.Measure(model, [new(tokens, 1)], null, CancellationToken.None).Nll, 1e-4);
        Assert.Equal((4, 3), (model.Rows, model.MostRows));
    }

    /// <summary>A model whose logits follow from the last token alone: its hidden value.</summary>
    private sealed class Fixed(int vocabulary, Func<int, int, float> logit) : ICausalModel
    {
        public int VocabularySize => vocabulary;

        public int MaxPositions => 8;

        public int HiddenWidth => 1;

        /// <summary>Tokens whose logits were asked for.</summary>
        public int Rows { get; private set; }

        /// <summary>The most of them at once.</summary>
        public int MostRows { get; private set; }

        public void Hidden(ReadOnlySpan<int> tokens, Span<float> hidden)
        {
            for (int i = 0; i < tokens.Length; i++)
            {
                hidden[i] = tokens[i];
            }
        }

        public void Logits(ReadOnlySpan<float> hidden, Span<float> logits, int count)
        {
            (Rows, MostRows) = (Rows + count, Math.Max(MostRows, count));
            for (int i = 0; i < logits.Length; i++)
            {
                logits[i] = logit((int)hidden[i / vocabulary], i % vocabulary);
            }
        }
    }
}
