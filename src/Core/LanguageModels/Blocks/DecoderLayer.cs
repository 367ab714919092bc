using System.Numerics.Tensors;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>
/// One layer of a decoder: attention, then feed-forward, each added to its input. The norms stand before the two parts, or after the
/// additions, as in the first transformers.
/// </summary>
internal sealed partial class DecoderLayer(Norm attentionNorm, Attention attention, Norm feedForwardNorm, FeedForward feedForward, bool normFirst = true)
{
    /// <summary>Values of a token.</summary>
    public int Width => attention.Width;

    /// <summary>Values of a token's queries, keys and values.</summary>
    public int ProjectedWidth => attention.ProjectedWidth;

    /// <summary>Values of all heads of a token.</summary>
    public int MixedWidth => attention.MixedWidth;

    /// <summary>Values of a token inside the feed-forward part.</summary>
    public int InnerWidth => feedForward.InnerWidth;

    /// <summary>True if the feed-forward part has a gate.</summary>
    public bool IsGated => feedForward.IsGated;

    /// <summary>True if a whole <see cref="LayerRecord"/> is of use: where norms stand before the two parts.</summary>
    public bool CanBeRecordedWhole => normFirst;

    /// <summary>Applies it to a sequence, in place.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="record">Receives what is costly to compute again, if not null.</param>
    public void Apply(Span<float> x, int tokens, LayerRecord? record = null)
    {
        using var input = new Scratch(x.Length);
        using var result = new Scratch(x.Length);
        attention.Apply(Before(attentionNorm, x, input.Span, tokens), result.Span, tokens, record);
        Add(x, result.Span, attentionNorm, tokens);
        if (record is { IsWhole: true })
        {
            x.CopyTo(record.Middle);
        }

        feedForward.Apply(Before(feedForwardNorm, x, input.Span, tokens), result.Span, tokens, record);
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
