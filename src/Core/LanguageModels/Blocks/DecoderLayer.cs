using System.Numerics.Tensors;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>
/// One layer of a decoder: attention, then feed-forward, each added to its input. The norms stand before the two parts, or after the
/// additions, as in the first transformers.
/// </summary>
internal sealed partial class DecoderLayer(Norm attentionNorm, Attention attention, Norm feedForwardNorm, FeedForward feedForward, bool normFirst = true)
{
    /// <summary>Values of all heads of a token.</summary>
    public int MixedWidth => attention.MixedWidth;

    /// <summary>Applies it to a sequence, in place.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="tokens">How many.</param>
    public void Apply(Span<float> x, int tokens)
    {
        using var mixed = new Scratch(tokens, MixedWidth);
        Apply(x, tokens, mixed.Span);
    }

    /// <summary>Applies it to a sequence, in place, and leaves what is costly to compute again.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="mixed">Receives attention's mixed values, [tokens, <see cref="MixedWidth"/>].</param>
    public void Apply(Span<float> x, int tokens, Span<float> mixed)
    {
        using var input = new Scratch(x.Length);
        using var result = new Scratch(x.Length);
        attention.Apply(Before(attentionNorm, x, input.Span, tokens), result.Span, tokens, mixed);
        Add(x, result.Span, attentionNorm, tokens);
        feedForward.Apply(Before(feedForwardNorm, x, input.Span, tokens), result.Span, tokens);
        Add(x, result.Span, feedForwardNorm, tokens);
    }

    private ReadOnlySpan<float> Before(Norm norm, Span<float> x, Span<float> buffer, int tokens)
    {
        if (!normFirst)
        {
            return x;
        }

        norm.Apply(x, buffer, tokens);
        return buffer;
    }

    private void Add(Span<float> x, ReadOnlySpan<float> result, Norm norm, int tokens)
    {
        TensorPrimitives.Add(x, result, x);
        if (!normFirst)
        {
            norm.Apply(x, x, tokens);
        }
    }
}
