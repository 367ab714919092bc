using System.Numerics.Tensors;
using Compress.Core.Numerics;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>
/// The part of attention that has no weights: for each head and token, softmax(scale · q K) V over the tokens that it sees. Keys and values are
/// brought into tiles once for each of their heads; then blocks of tokens are independent of each other.
/// </summary>
internal sealed unsafe partial class AttentionMix(AttentionShape shape)
{
    /// <summary>Tokens of a block: their scores against 1,000 keys take 128 KiB and stay in the second-level cache.</summary>
    private const int BlockTokens = 32;

    /// <summary>Sums over keys begin at multiples of this, which is one of every kernel's tile width: so their order is the same everywhere.</summary>
    private const int KeyUnit = 48;

    private static readonly Kernel Kernel = Kernel.Fused;

    /// <summary>Mixes the values of a sequence.</summary>
    /// <param name="queries">[tokens, queryStride].</param>
    /// <param name="queryStride">From one token's queries to the next one's.</param>
    /// <param name="keys">[tokens, keyStride].</param>
    /// <param name="values">[tokens, keyStride].</param>
    /// <param name="keyStride">From one token's keys, and values, to the next one's.</param>
    /// <param name="mixed">Receives [tokens, heads · head size].</param>
    /// <param name="tokens">How many.</param>
    public void Apply(
        ReadOnlySpan<float> queries, int queryStride, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, int keyStride, Span<float> mixed, int tokens)
    {
        int size = shape.HeadSize, share = shape.Heads / shape.KeyValueHeads, blocks = (tokens + BlockTokens - 1) / BlockTokens;
        int keyFloats = Tiling.Floats(Kernel, size, tokens), valueFloats = Tiling.Floats(Kernel, tokens, size);
        using var scratch = new Scratch(shape.KeyValueHeads, keyFloats + valueFloats);
        fixed (float* q = queries, k = keys, v = values, m = mixed)
        {
            float* firstQuery = q, firstKey = k, firstValue = v, firstMixed = m;
            float* keyTiles = scratch.Pointer, valueTiles = keyTiles + ((long)shape.KeyValueHeads * keyFloats);
            Threads.For(shape.KeyValueHeads, head =>
            {
                Tiling.Transpose(Kernel, firstKey + (head * size), keyStride, size, tokens, keyTiles + ((long)head * keyFloats));
                Tiling.Copy(Kernel, firstValue + (head * size), keyStride, tokens, size, valueTiles + ((long)head * valueFloats));
            });
            Threads.For(shape.Heads * blocks, index =>
            {
                int head = index / blocks, token = index % blocks * BlockTokens;
                MixBlock(
                    token,
                    Math.Min(BlockTokens, tokens - token),
                    firstQuery + ((long)token * queryStride) + (head * size),
                    queryStride,
                    new(keyTiles + ((long)(head / share) * keyFloats), keyFloats),
                    new(valueTiles + ((long)(head / share) * valueFloats), valueFloats),
                    tokens,
                    firstMixed + ((long)token * shape.QueryWidth) + (head * size));
            });
        }
    }

    /// <summary>One head of a block of tokens.</summary>
    private void MixBlock(
        int token, int count, float* queries, int queryStride, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, int tokens, float* mixed)
    {
        int size = shape.HeadSize, width = Kernel.TileWidth;
        int first = FirstSeen(token) / KeyUnit * KeyUnit, seen = token + count - first;
        using var scores = new Scratch(count, seen);
        var seenKeys = new TiledMatrix { Values = keys[(first * size)..], Depth = size, Width = seen, TileStride = width * size };
        Kernel.MultiplyTiles(
            new(queries, ((count - 1) * queryStride) + size), queryStride, count, seenKeys, scores.Span, seen, TileResult.Store);
        Span<float> factors = stackalloc float[BlockTokens];
        for (int i = 0; i < count; i++)
        {
            var row = scores.Span.Slice(i * seen, seen);
            factors[i] = Exponentials(row, FirstSeen(token + i) - first, token + i + 1 - first);
        }

        var result = new Span<float>(mixed, ((count - 1) * shape.QueryWidth) + size);
        var seenValues = new TiledMatrix { Values = values[(first * width)..], Depth = seen, Width = size, TileStride = width * tokens };
        Kernel.MultiplyTiles(scores.Span, seen, count, seenValues, result, shape.QueryWidth, TileResult.Store);
        for (int i = 0; i < count; i++)
        {
            var row = result.Slice(i * shape.QueryWidth, size);
            TensorPrimitives.Multiply(row, factors[i], row);
        }
    }

    private int FirstSeen(int token) => Math.Max(0, token - shape.Window + 1);

    /// <summary>Turns the scores from start to end into weights, all others into zeros.</summary>
    /// <returns>1 / the sum of the weights.</returns>
    private float Exponentials(Span<float> scores, int start, int end)
    {
        scores[..start].Clear();
        scores[end..].Clear();
        scores = scores[start..end];
        TensorPrimitives.Subtract(scores, TensorPrimitives.Max<float>(scores), scores);
        TensorPrimitives.Multiply(scores, shape.Scale, scores);
        ElementaryVectors.Exp(scores, scores);
        return 1 / FixedOrder.Sum(scores);
    }
}
