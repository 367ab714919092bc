using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Numerics;

namespace Compress.Core.LanguageModels.Gradients;

/// <summary>The loss of language models: <c>Σ −ln p(target)</c> in nats.</summary>
public static class CrossEntropy
{
    /// <summary>Turns logits into the gradient of their loss: <c>softmax(logits) − one(target)</c>.</summary>
    /// <param name="logits">[tokens, vocabulary].</param>
    /// <param name="targets">[tokens]: what follows each token, or a negative number where nothing is predicted: zeros are its gradient.</param>
    /// <returns>The loss. It and the gradient are bit-exact: the same on every machine and for any number of threads.</returns>
    /// <exception cref="ArgumentException">The lengths do not fit, or a target is not in the vocabulary.</exception>
    public static unsafe double Backward(Span<float> logits, ReadOnlySpan<int> targets)
    {
        int tokens = targets.Length, vocabulary = tokens == 0 ? 0 : logits.Length / tokens;
        if (logits.Length != (long)tokens * vocabulary)
        {
            throw new ArgumentException($"{logits.Length} logits for {tokens} targets", nameof(logits));
        }

        foreach (int target in targets)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(target, vocabulary, nameof(targets));
        }

        double[] losses = new double[tokens];
        fixed (float* pinnedLogits = logits)
        fixed (int* pinnedTargets = targets)
        {
            float* first = pinnedLogits;
            int* firstTarget = pinnedTargets;
            Threads.For(tokens, token => losses[token] = Backward(new Span<float>(first + ((long)token * vocabulary), vocabulary), firstTarget[token]));
        }

        double loss = 0;
        foreach (double value in losses)
        {
            loss += value;
        }

        return loss;
    }

    private static double Backward(Span<float> logits, int target)
    {
        if (target < 0)
        {
            logits.Clear();
            return 0;
        }

        TensorPrimitives.Subtract(logits, TensorPrimitives.Max<float>(logits), logits);
        float score = logits[target];
        ElementaryVectors.Exp(logits, logits);
        double sum = FixedOrder.SumInDouble(logits); // vocabularies are long
        TensorPrimitives.Multiply(logits, (float)(1 / sum), logits);
        logits[target] -= 1;
        return Elementary.Log(sum) - score;
    }
}
