using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed partial class DecoderLayer
{
    /// <summary>Floats that <see cref="Backward"/> holds for a token, without gradients: its input and what it computes again.</summary>
    public int ActivationWidth => (3 * attention.Width) + attention.ProjectedWidth + attention.MixedWidth + feedForward.ActivationWidth;

    /// <summary>
    /// The gradients of what <see cref="Apply"/> computes. From the layer's input, everything in it is computed again but what its last product
    /// adds, where nothing follows it.
    /// </summary>
    /// <param name="x">The layer's input, [tokens, width].</param>
    /// <param name="gradient">The gradient of its output; receives that of its input. [tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="observer">Is told those of weights.</param>
    public void Backward(ReadOnlySpan<float> x, Span<float> gradient, int tokens, IGradientObserver observer)
    {
        using Scratch projected = new(tokens, attention.ProjectedWidth), mixed = new(tokens, attention.MixedWidth), middle = new(x.Length);
        if (normFirst)
        {
            using Scratch input = new(x.Length), slope = new(x.Length);
            attentionNorm.Apply(x, input.Span, tokens);
            attention.Apply(input.Span, middle.Span, tokens, projected.Span, mixed.Span);
            TensorPrimitives.Add(x, middle.Span, middle.Span);

            feedForwardNorm.Apply(middle.Span, input.Span, tokens);
            feedForward.Backward(input.Span, gradient, slope.Span, tokens, observer);
            feedForwardNorm.Backward(middle.Span, slope.Span, gradient, tokens, observer, add: true);

            attentionNorm.Apply(x, input.Span, tokens);
            attention.Backward(input.Span, gradient, slope.Span, tokens, projected.Span, mixed.Span, observer);
            attentionNorm.Backward(x, slope.Span, gradient, tokens, observer, add: true);
        }
        else
        {
            using Scratch first = new(x.Length), second = new(x.Length);
            attention.Apply(x, first.Span, tokens, projected.Span, mixed.Span);
            TensorPrimitives.Add(x, first.Span, first.Span);
            attentionNorm.Apply(first.Span, middle.Span, tokens);
            feedForward.Apply(middle.Span, second.Span, tokens);
            TensorPrimitives.Add(middle.Span, second.Span, second.Span);

            feedForwardNorm.Backward(second.Span, gradient, gradient, tokens, observer, add: false);
            feedForward.Backward(middle.Span, gradient, second.Span, tokens, observer);
            TensorPrimitives.Add(gradient, second.Span, gradient);
            attentionNorm.Backward(first.Span, gradient, gradient, tokens, observer, add: false);
            attention.Backward(x, gradient, first.Span, tokens, projected.Span, mixed.Span, observer);
            TensorPrimitives.Add(gradient, first.Span, gradient);
        }
    }
}
