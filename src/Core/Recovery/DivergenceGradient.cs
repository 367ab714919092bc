using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Numerics;

namespace Compress.Core.Recovery;

/// <summary>The loss of distillation (Hinton et al., arXiv 1503.02531): T² KL(softmax(source / T) ‖ softmax(packed / T)), in nats.</summary>
internal static class DivergenceGradient
{
    /// <summary>Turns the logits of a model into the gradient of the loss: T (softmax(packed / T) − softmax(source / T)), times a factor. Bit-exact.</summary>
    /// <param name="logits">Of the packed model, [tokens, vocabulary].</param>
    /// <param name="source">Of the source; they are lost.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="temperature">T.</param>
    /// <param name="factor">The factor.</param>
    public static unsafe void Compute(Span<float> logits, Span<float> source, int tokens, double temperature, double factor)
    {
        int vocabulary = logits.Length / tokens;
        fixed (float* pinnedLogits = logits, pinnedSource = source)
        {
            float* first = pinnedLogits, firstSource = pinnedSource;
            Threads.For(tokens, token =>
            {
                Span<float> q = new(first + ((long)token * vocabulary), vocabulary), p = new(firstSource + ((long)token * vocabulary), vocabulary);
                double scale = temperature * factor;
                Softmax(q, temperature, scale);
                Softmax(p, temperature, scale);
                TensorPrimitives.Subtract(q, p, q);
            });
        }
    }

    private static void Softmax(Span<float> logits, double temperature, double scale)
    {
        TensorPrimitives.Subtract(logits, TensorPrimitives.Max<float>(logits), logits);
        TensorPrimitives.Multiply(logits, (float)(1 / temperature), logits);
        ElementaryVectors.Exp(logits, logits);
        TensorPrimitives.Multiply(logits, (float)(scale / FixedOrder.SumInDouble(logits)), logits);
    }
}
