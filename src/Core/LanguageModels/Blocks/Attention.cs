using Compress.Runtime.Kernels;

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

    /// <summary>Applies it to a sequence.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="y">[tokens, width].</param>
    /// <param name="tokens">How many.</param>
    public void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens)
    {
        using var projected = new Scratch(tokens, shape.QueryWidth + (2 * shape.KeyWidth));
        Span<float> queries = projected.Span, keys, values;
        int queryStride, keyStride;
        if (projections is [var all])
        {
            all.Apply(x, projected.Span, tokens);
            keys = queries[shape.QueryWidth..];
            values = keys[shape.KeyWidth..];
            queryStride = keyStride = all.Outputs;
        }
        else
        {
            queries = projected.Span[..(tokens * shape.QueryWidth)];
            keys = projected.Span.Slice(queries.Length, tokens * shape.KeyWidth);
            values = projected.Span[(queries.Length + keys.Length)..];
            projections[0].Apply(x, queries, tokens);
            projections[1].Apply(x, keys, tokens);
            projections[2].Apply(x, values, tokens);
            (queryStride, keyStride) = (shape.QueryWidth, shape.KeyWidth);
        }

        rotary?.Apply(queries, queryStride, shape.Heads, tokens);
        rotary?.Apply(keys, keyStride, shape.KeyValueHeads, tokens);
        using var mixed = new Scratch(tokens, shape.QueryWidth);
        mix.Apply(queries, queryStride, keys, values, keyStride, mixed.Span, tokens);
        output.Apply(mixed.Span, y, tokens);
    }
}
