using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed partial class DecoderLayer
{
    /// <summary>Floats that <see cref="Backward"/> holds for a token, without gradients: its input and what it computes again.</summary>
    public int ActivationWidth => (3 * attention.Width) + attention.ProjectedWidth + attention.MixedWidth + feedForward.ActivationWidth;

    /// <summary>
    /// The gradients of what <see cref="Apply(Span{float}, int)"/> computes. From the layer's input, everything in it is computed again but what its last product
    /// adds, where nothing follows it.
    /// </summary>
    /// <param name="x">The layer's input, [tokens, width].</param>
    /// <param name="kept">Attention's mixed values, as <see cref="Apply(Span{float}, int, Span{float})"/> left them; empty to compute them again.</param>
    /// <param name="gradient">The gradient of its output; receives that of its input. [tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="observer">Is told those of weights.</param>
    public void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> kept, Span<float> gradient, int tokens, IGradientObserver observer)
    {
        using Scratch projected = new(tokens, attention.ProjectedWidth), buffer = new(kept.IsEmpty ? tokens : 0, MixedWidth), middle = new(x.Length);
        ReadOnlySpan<float> mixed = kept.IsEmpty ? buffer.Span : kept;
        if (normFirst)
        {
            using Scratch input = new(x.Length), slope = new(x.Length);
            attentionNorm.Apply(x, input.Span, tokens);
            Recompute(input.Span, projected.Span, buffer.Span, mixed, middle.Span, tokens);
            TensorPrimitives.Add(x, middle.Span, middle.Span);

            feedForwardNorm.Apply(middle.Span, input.Span, tokens);
            feedForward.Backward(input.Span, gradient, slope.Span, tokens, observer);
            feedForwardNorm.Backward(middle.Span, slope.Span, gradient, tokens, observer, add: true);

            attentionNorm.Apply(x, input.Span, tokens);
            attention.Backward(input.Span, gradient, slope.Span, tokens, projected.Span, mixed, observer);
            attentionNorm.Backward(x, slope.Span, gradient, tokens, observer, add: true);
        }
        else
        {
            using Scratch first = new(x.Length), second = new(x.Length);
            Recompute(x, projected.Span, buffer.Span, mixed, first.Span, tokens);
            TensorPrimitives.Add(x, first.Span, first.Span);
            attentionNorm.Apply(first.Span, middle.Span, tokens);
            feedForward.Apply(middle.Span, second.Span, tokens);
            TensorPrimitives.Add(middle.Span, second.Span, second.Span);

            feedForwardNorm.Backward(second.Span, gradient, gradient, tokens, observer, add: false);
            feedForward.Backward(middle.Span, gradient, second.Span, tokens, observer);
            TensorPrimitives.Add(gradient, second.Span, gradient);
            attentionNorm.Backward(first.Span, gradient, gradient, tokens, observer, add: false);
            attention.Backward(x, gradient, first.Span, tokens, projected.Span, mixed, observer);
            TensorPrimitives.Add(gradient, first.Span, gradient);
        }
    }
    // Attention; its mixed values only if there is room for them in the buffer.
    private void Recompute(ReadOnlySpan<float> x, Span<float> projected, Span<float> buffer, ReadOnlySpan<float> mixed, Span<float> y, int tokens)
    {
        attention.Project(x, projected, tokens);
        if (!buffer.IsEmpty)
        {
            attention.Mix(projected, buffer, tokens);
        }

        attention.Finish(mixed, y, tokens);
    }
}
