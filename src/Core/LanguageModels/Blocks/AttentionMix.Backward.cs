using System.Numerics;
using System.Numerics.Tensors;
using Compress.Core.Numerics;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed unsafe partial class AttentionMix
{
    /// <summary>Tokens of a block: so many outer products are added up before they are added to the gradients of keys and values.</summary>
    private const int BackwardTokens = 64;

    /// <summary>
    /// The gradients of what Apply computes. A block's weights are computed again, so that they are never held for more tokens (Dao et al.,
    /// arXiv 2205.14135, appendix B.2).
    /// </summary>
    /// <param name="heads">Queries, keys and values.</param>
    /// <param name="mixed">What Apply gave, [tokens, heads · head size].</param>
    /// <param name="dy">The gradient of the mixed values, [tokens, heads · head size].</param>
    /// <param name="gradients">Receives those of queries, keys and values.</param>
    /// <param name="tokens">How many.</param>
    public void Backward(in Heads heads, ReadOnlySpan<float> mixed, ReadOnlySpan<float> dy, in Heads gradients, int tokens)
    {
        int size = shape.HeadSize, share = shape.Heads / shape.KeyValueHeads, queryStride = heads.QueryStride, keyStride = heads.KeyStride;
        int turned = Tiling.Floats(Kernel, size, tokens), copied = Tiling.Floats(Kernel, tokens, size);
        using var scratch = new Scratch(shape.KeyValueHeads, (2 * turned) + copied);

        // Query heads that share keys and values add to gradients of their own first, so that every head is a piece of work for itself.
        using var apart = new Scratch(share == 1 ? 0 : 2 * tokens, shape.QueryWidth);
        fixed (float* q = heads.Queries, k = heads.Keys, v = heads.Values, m = mixed, d = dy, dq = gradients.Queries, dk = gradients.Keys, dv = gradients.Values)
        {
            float* firstQuery = q, firstKey = k, firstValue = v, firstMixed = m, firstGradient = d, firstQuerySlope = dq, tiles = scratch.Pointer;
            float* keySlopes = share == 1 ? dk : apart.Pointer, valueSlopes = share == 1 ? dv : apart.Pointer + ((long)tokens * shape.QueryWidth);
            int slopeStride = share == 1 ? keyStride : shape.QueryWidth;
            Threads.For(shape.KeyValueHeads, head =>
            {
                float* own = tiles + ((long)head * ((2 * turned) + copied));
                Tiling.Transpose(Kernel, firstKey + (head * size), keyStride, size, tokens, own);
                Tiling.Transpose(Kernel, firstValue + (head * size), keyStride, size, tokens, own + turned);
                Tiling.Copy(Kernel, firstKey + (head * size), keyStride, tokens, size, own + (2 * turned));
            });
            Threads.For(shape.Heads, head =>
            {
                float* own = tiles + ((long)(head / share) * ((2 * turned) + copied));
                var work = new HeadBackward
                {
                    Queries = firstQuery + (head * size),
                    Mixed = firstMixed + (head * size),
                    Gradients = firstGradient + (head * size),
                    QuerySlopes = firstQuerySlope + (head * size),
                    QueryStride = queryStride,
                    TurnedKeys = own,
                    TurnedValues = own + turned,
                    Keys = own + (2 * turned),
                    KeySlopes = keySlopes + (head * size),
                    ValueSlopes = valueSlopes + (head * size),
                    SlopeStride = slopeStride,
                    Tokens = tokens,
                };
                Clear(work.KeySlopes, slopeStride, tokens);
                Clear(work.ValueSlopes, slopeStride, tokens);
                for (int token = 0; token < tokens; token += BackwardTokens)
                {
                    Block(work, token, Math.Min(BackwardTokens, tokens - token));
                }
            });
            if (share > 1)
            {
                Gather(keySlopes, dk, keyStride, tokens);
                Gather(valueSlopes, dv, keyStride, tokens);
            }
        }
    }

    /// <summary>What belongs to one head: where its values begin, and how far it is from one token to the next.</summary>
    private readonly struct HeadBackward
    {
        public required float* Queries { get; init; }

        public required float* Mixed { get; init; }

        public required float* Gradients { get; init; }

        public required float* QuerySlopes { get; init; }

        public required int QueryStride { get; init; }

        public required float* TurnedKeys { get; init; }

        public required float* TurnedValues { get; init; }

        public required float* Keys { get; init; }

        public required float* KeySlopes { get; init; }

        public required float* ValueSlopes { get; init; }

        public required int SlopeStride { get; init; }

        public required int Tokens { get; init; }
    }

    // P = softmax(S), S = scale Q Kᵀ, O = P V: dV = Pᵀ dO, dP = dO Vᵀ, dS = P (dP − Σ P dP) scale, dQ = dS K, dK = dSᵀ Q; and Σ P dP = O dO
    private void Block(in HeadBackward head, int token, int count)
    {
        int size = shape.HeadSize, width = Kernel.TileWidth, tokens = head.Tokens;
        int first = FirstSeen(token) / KeyUnit * KeyUnit, seen = token + count - first;
        float* queries = head.Queries + ((long)token * head.QueryStride), gradients = head.Gradients + ((long)token * shape.QueryWidth);
        using Scratch weights = new(count, seen), slopes = new(count, seen), turned = new(seen, count), tiles = new(Tiling.Floats(Kernel, count, size));
        Multiply(queries, head.QueryStride, count, Tiles(head.TurnedKeys + (first * size), size, seen, size), weights.Pointer, seen, TileResult.Store);
        Multiply(gradients, shape.QueryWidth, count, Tiles(head.TurnedValues + (first * size), size, seen, size), slopes.Pointer, seen, TileResult.Store);
        for (int i = 0; i < count; i++)
        {
            Span<float> p = weights.Span.Slice(i * seen, seen), slope = slopes.Span.Slice(i * seen, seen);
            int start = FirstSeen(token + i) - first, end = token + i + 1 - first;
            float factor = Exponentials(p, start, end);
            slope[..start].Clear();
            slope[end..].Clear();
            long at = (long)i * shape.QueryWidth;
            float mean = FixedOrder.Dot(new ReadOnlySpan<float>(head.Mixed + ((long)token * shape.QueryWidth) + at, size), new ReadOnlySpan<float>(gradients + at, size));
            Slopes(p[start..end], factor, mean, slope[start..end]);
        }

        var keys = Tiles(head.Keys + (first * width), seen, size, tokens);
        Multiply(slopes.Pointer, seen, count, keys, head.QuerySlopes + ((long)token * head.QueryStride), head.QueryStride, TileResult.Store);
        long to = (long)first * head.SlopeStride;
        AddOuter(slopes.Pointer, count, seen, queries, head.QueryStride, turned.Pointer, tiles.Pointer, head.KeySlopes + to, head.SlopeStride);
        AddOuter(weights.Pointer, count, seen, gradients, shape.QueryWidth, turned.Pointer, tiles.Pointer, head.ValueSlopes + to, head.SlopeStride);
    }

    // p = p · factor, slope = (slope − mean) · p · scale
    private void Slopes(Span<float> p, float factor, float mean, Span<float> slope)
    {
        int i = 0;
        for (; i <= p.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var weights = new Vector<float>(p[i..]) * factor;
            weights.CopyTo(p[i..]);
            ((new Vector<float>(slope[i..]) - new Vector<float>(mean)) * weights * shape.Scale).CopyTo(slope[i..]);
        }

        for (; i < p.Length; i++)
        {
            p[i] *= factor;
            slope[i] = (slope[i] - mean) * p[i] * shape.Scale;
        }
    }

    // to[j] += Σ matrix[i, j] · rows[i]
    private void AddOuter(float* matrix, int count, int seen, float* rows, int stride, float* turned, float* tiles, float* to, int toStride)
    {
        Transposition.Run(matrix, seen, count, seen, turned, count);
        Tiling.Copy(Kernel, rows, stride, count, shape.HeadSize, tiles);
        Multiply(turned, count, seen, Tiles(tiles, count, shape.HeadSize, count), to, toStride, TileResult.Add);
    }

    /// <summary>The first rows of a matrix that has more.</summary>
    private static TiledMatrix Tiles(float* tiles, int depth, int width, int rows) => new()
    {
        Values = new(tiles, Tiling.Floats(Kernel, rows, width) - ((rows - depth) * Kernel.TileWidth)), Depth = depth, Width = width, TileStride = Kernel.TileWidth * rows,
    };

    private static void Multiply(float* a, int aStride, int rows, in TiledMatrix b, float* c, int cStride, TileResult result) =>
        Kernel.MultiplyTiles(new(a, ((rows - 1) * aStride) + b.Depth), aStride, rows, b, new(c, ((rows - 1) * cStride) + b.Width), cStride, result);

    private void Clear(float* rows, int stride, int tokens)
    {
        for (int token = 0; token < tokens; token++)
        {
            new Span<float>(rows + ((long)token * stride), shape.HeadSize).Clear();
        }
    }

    /// <summary>Adds up what the query heads of each head of keys have found.</summary>
    private void Gather(float* apart, float* to, int stride, int tokens)
    {
        int size = shape.HeadSize, share = shape.Heads / shape.KeyValueHeads;
        for (int token = 0; token < tokens; token++)
        {
            for (int head = 0; head < shape.Heads; head++)
            {
                var from = new ReadOnlySpan<float>(apart + ((long)token * shape.QueryWidth) + (head * size), size);
                var sum = new Span<float>(to + ((long)token * stride) + (head / share * size), size);
                if (head % share == 0)
                {
                    from.CopyTo(sum);
                }
                else
                {
                    TensorPrimitives.Add(sum, from, sum);
                }
            }
        }
    }
}
