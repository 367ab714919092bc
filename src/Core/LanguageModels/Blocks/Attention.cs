using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>What an attention layer looks like.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; each serves Heads / KeyValueHeads consecutive query heads (Ainslie et al., arXiv 2305.13245).</param>
/// <param name="HeadSize">Values of a head.</param>
internal readonly record struct AttentionShape(int Heads, int KeyValueHeads, int HeadSize)
{
    /// <summary>Values of all query heads of a token.</summary>
    public int QueryWidth => Heads * HeadSize;

    /// <summary>Values of all key heads of a token.</summary>
    public int KeyWidth => KeyValueHeads * HeadSize;

    /// <summary>What products of queries and keys are multiplied by before the softmax.</summary>
    public float Scale { get; init; } = 1 / MathF.Sqrt(HeadSize);

    /// <summary>How many tokens back a token sees, itself included.</summary>
    public int Window { get; init; } = int.MaxValue;
}

/// <summary>Causal self-attention over one sequence.</summary>
/// <param name="projections">Three layers for queries, keys and values, or one for all three.</param>
/// <param name="output">From the heads to the width of the model.</param>
/// <param name="shape">Numbers of heads.</param>
/// <param name="rotary">Turns queries and keys; null if positions are embedded otherwise.</param>
internal sealed partial class Attention(IReadOnlyList<Linear> projections, Linear output, AttentionShape shape, Rotary? rotary = null)
{
    private readonly AttentionMix mix = new(shape);

    /// <summary>Values of a token.</summary>
    public int Width => output.Outputs;

    /// <summary>Values of a token's queries, keys and values.</summary>
    public int ProjectedWidth => shape.QueryWidth + (2 * shape.KeyWidth);

    /// <summary>Values of all heads of a token.</summary>
    public int MixedWidth => shape.QueryWidth;

    /// <summary>Applies it to a sequence.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="y">[tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="record">Receives what is costly to compute again, if not null.</param>
    public void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens, LayerRecord? record)
    {
        bool whole = record is { IsWhole: true };
        using Scratch ownProjected = new(whole ? 0 : tokens, ProjectedWidth), ownMixed = new(record is null ? tokens : 0, MixedWidth);
        Span<float> projected = whole ? record!.Projected : ownProjected.Span, mixed = record is null ? ownMixed.Span : record.Mixed;
        Project(x, projected, tokens);
        Mix(projected, mixed, tokens);
        Finish(mixed, y, tokens);
    }

    /// <summary>The first part of it: queries, keys and values.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="projected">Receives tokens · <see cref="ProjectedWidth"/> floats.</param>
    /// <param name="tokens">How many.</param>
    public void Project(ReadOnlySpan<float> x, Span<float> projected, int tokens)
    {
        var heads = Split(projected, tokens);
        if (projections is [var all])
        {
            all.Apply(x, projected, tokens);
        }
        else
        {
            RotatedInput rotated = default;
            projections[0].Apply(x, heads.Queries, tokens, ref rotated);
            projections[1].Apply(x, heads.Keys, tokens, ref rotated);
            projections[2].Apply(x, heads.Values, tokens, ref rotated);
            rotated.Dispose();
        }

        rotary?.Apply(heads.Queries, heads.QueryStride, shape.Heads, tokens);
        rotary?.Apply(heads.Keys, heads.KeyStride, shape.KeyValueHeads, tokens);
    }

    /// <summary>The second part of it: values, mixed.</summary>
    public void Mix(Span<float> projected, Span<float> mixed, int tokens)
    {
        var heads = Split(projected, tokens);
        mix.Apply(heads.Queries, heads.QueryStride, heads.Keys, heads.Values, heads.KeyStride, mixed, tokens);
    }

    /// <summary>The last part of it: the output layer.</summary>
    public void Finish(ReadOnlySpan<float> mixed, Span<float> y, int tokens) => output.Apply(mixed, y, tokens);

    // One layer for all three gives them side by side.
    private Heads Split(Span<float> projected, int tokens)
    {
        bool fused = projections.Count == 1;
        int queries = fused ? shape.QueryWidth : tokens * shape.QueryWidth, keys = fused ? shape.KeyWidth : tokens * shape.KeyWidth;
        return new()
        {
            Queries = fused ? projected : projected[..queries],
            Keys = fused ? projected[queries..] : projected.Slice(queries, keys),
            Values = projected[(queries + keys)..],
            QueryStride = fused ? ProjectedWidth : shape.QueryWidth,
            KeyStride = fused ? ProjectedWidth : shape.KeyWidth,
        };
    }
}
