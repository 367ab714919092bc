using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed partial class DecoderLayer
{
    /// <summary>Floats that <see cref="Backward"/> holds for a token, without gradients: its input and what it computes again.</summary>
    public int ActivationWidth => (3 * attention.Width) + attention.ProjectedWidth + attention.MixedWidth + feedForward.ActivationWidth;

    /// <summary>
    /// The gradients of what <see cref="Apply"/> computes. What there is no record of is computed again from the layer's input, but what its last product
    /// adds, where nothing follows it.
    /// </summary>
    /// <param name="x">The layer's input, [tokens, width].</param>
    /// <param name="record">What <see cref="Apply"/> left; null if it left nothing.</param>
    /// <param name="gradient">The gradient of its output; receives that of its input. [tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="observer">Is told those of weights.</param>
    public void Backward(ReadOnlySpan<float> x, LayerRecord? record, Span<float> gradient, int tokens, IGradientObserver observer)
    {
        bool whole = record is { IsWhole: true };
        using Scratch ownProjected = new(whole ? 0 : tokens, ProjectedWidth), buffer = new(record is null ? tokens : 0, MixedWidth), sum = new(whole ? 0 : x.Length);
        Span<float> projected = whole ? record!.Projected : ownProjected.Span, middle = whole ? record!.Middle[..x.Length] : sum.Span;
        int projectedTokens = whole ? record!.Tokens : tokens;
        ReadOnlySpan<float> mixed = record is null ? buffer.Span : record.Mixed[..(tokens * MixedWidth)];
        if (normFirst)
        {
            using Scratch input = new(x.Length), slope = new(x.Length);
            if (!whole)
            {
                attentionNorm.Apply(x, input.Span, tokens);
                Recompute(input.Span, projected, buffer.Span, mixed, middle, tokens);
                TensorPrimitives.Add(x, middle, middle);
            }

            feedForwardNorm.Apply(middle, input.Span, tokens);
            feedForward.Backward(input.Span, gradient, slope.Span, tokens, observer, record);
            feedForwardNorm.Backward(middle, slope.Span, gradient, tokens, observer, add: true);

            attentionNorm.Apply(x, input.Span, tokens);
            attention.Backward(input.Span, gradient, slope.Span, tokens, projected, projectedTokens, mixed, observer);
            attentionNorm.Backward(x, slope.Span, gradient, tokens, observer, add: true);
        }
        else
        {
            using Scratch first = new(x.Length), second = new(x.Length);
            Recompute(x, projected, buffer.Span, mixed, first.Span, tokens);
            TensorPrimitives.Add(x, first.Span, first.Span);
            attentionNorm.Apply(first.Span, middle, tokens);
            feedForward.Apply(middle, second.Span, tokens);
            TensorPrimitives.Add(middle, second.Span, second.Span);

            feedForwardNorm.Backward(second.Span, gradient, gradient, tokens, observer, add: false);
            feedForward.Backward(middle, gradient, second.Span, tokens, observer);
            TensorPrimitives.Add(gradient, second.Span, gradient);
            attentionNorm.Backward(first.Span, gradient, gradient, tokens, observer, add: false);
            attention.Backward(x, gradient, first.Span, tokens, projected, projectedTokens, mixed, observer);
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
