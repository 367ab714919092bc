using System.Numerics;
using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.LanguageModels.Weights;
using Compress.Core.Numerics;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal abstract partial class Norm
{
    protected abstract Parameter? Weight { get; }

    protected abstract Parameter? Bias { get; }

    /// <summary>The names of its weights and its biases.</summary>
    public IEnumerable<string> TensorNames => new[] { Weight, Bias }.OfType<Parameter>().Select(parameter => parameter.Name);

    /// <summary>The normalized vector without weights and bias, and the gradient of x.</summary>
    /// <param name="x">[width].</param>
    /// <param name="g">The gradient of the normalized vector, that of the result times the weights; receives the gradient of x.</param>
    /// <param name="normalized">Receives the normalized vector.</param>
    protected abstract void Backward(ReadOnlySpan<float> x, Span<float> g, Span<float> normalized);

    /// <summary>The gradients of what Apply computes for every token.</summary>
    /// <param name="x">Its input, [tokens, width].</param>
    /// <param name="dy">The gradient of its output, [tokens, width].</param>
    /// <param name="dx">The gradient of the input, [tokens, width], is added to it, or stored there. May be <paramref name="dy"/> if it is stored.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="observer">Is told those of weights and biases.</param>
    /// <param name="add">True to add to <paramref name="dx"/>.</param>
    public unsafe void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int tokens, IGradientObserver observer, bool add)
    {
        int width = x.Length / tokens, blocks = (tokens + Threads.BlockTokens - 1) / Threads.BlockTokens;

        // Sums over tokens: within a block of them first, then over the blocks.
        using Scratch weightSums = new(blocks, width), biasSums = new(blocks, width);
        weightSums.Span.Clear();
        biasSums.Span.Clear();
        fixed (float* pinnedX = x, pinnedDy = dy, pinnedDx = dx)
        {
            float* from = pinnedX, gradients = pinnedDy, to = pinnedDx, weights = weightSums.Pointer, biases = biasSums.Pointer;
            Threads.ForTokens(tokens, (first, count) =>
            {
                using Scratch normalized = new(width), gradient = new(width);
                long block = first / Threads.BlockTokens;
                Span<float> ownWeights = new(weights + (block * width), width), ownBiases = new(biases + (block * width), width);
                for (int token = first; token < first + count; token++)
                {
                    long start = (long)token * width;
                    var dyRow = new ReadOnlySpan<float>(gradients + start, width);
                    var dxRow = new Span<float>(to + start, width);
                    if (Weight is null)
                    {
                        dyRow.CopyTo(gradient.Span);
                    }
                    else
                    {
                        TensorPrimitives.Multiply(dyRow, Weight.Vector, gradient.Span);
                    }

                    Backward(new(from + start, width), gradient.Span, normalized.Span);
                    TensorPrimitives.Add(ownBiases, dyRow, ownBiases);
                    TensorPrimitives.Multiply(normalized.Span, dyRow, normalized.Span);
                    TensorPrimitives.Add(ownWeights, normalized.Span, ownWeights);
                    if (add)
                    {
                        TensorPrimitives.Add(dxRow, gradient.Span, dxRow);
                    }
                    else
                    {
                        gradient.Span.CopyTo(dxRow);
                    }
                }
            });
        }

        Tell(observer, Weight, weightSums.Span, width);
        Tell(observer, Bias, biasSums.Span, width);
    }

    /// <summary><c>g = r (g − mean − slope · x̂)</c>.</summary>
    protected static void Remove(ReadOnlySpan<float> normalized, float mean, float slope, float r, Span<float> g)
    {
        int i = 0;
        for (; i <= g.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var removed = new Vector<float>(g[i..]) - new Vector<float>(mean) - (new Vector<float>(normalized[i..]) * slope);
            (removed * r).CopyTo(g[i..]);
        }

        for (; i < g.Length; i++)
        {
            g[i] = (g[i] - mean - (normalized[i] * slope)) * r;
        }
    }

    private static void Tell(IGradientObserver observer, Parameter? parameter, Span<float> sums, int width)
    {
        if (parameter is not null)
        {
            for (int block = width; block < sums.Length; block += width)
            {
                TensorPrimitives.Add(sums[..width], sums.Slice(block, width), sums[..width]);
            }

            observer.OnVector(parameter.Name, sums[..width]);
        }
    }
}

internal sealed partial class RmsNorm
{
    protected override Parameter? Weight => weight;

    protected override Parameter? Bias => null;

    // x̂ = r x with r = 1 / √(mean x² + ε); dx = r (g − x̂ mean(g x̂))
    protected override void Backward(ReadOnlySpan<float> x, Span<float> g, Span<float> normalized)
    {
        float r = 1 / MathF.Sqrt((FixedOrder.Dot(x, x) / x.Length) + epsilon);
        TensorPrimitives.Multiply(x, r, normalized);
        float mean = FixedOrder.Dot(g, normalized) / x.Length;
        Remove(normalized, 0, mean, r, g);
    }
}

internal sealed partial class LayerNorm
{
    protected override Parameter? Weight => weight;

    protected override Parameter? Bias => bias;

    // x̂ = r (x − mean x) with r = 1 / √(variance + ε); dx = r (g − mean g − x̂ mean(g x̂))
    protected override void Backward(ReadOnlySpan<float> x, Span<float> g, Span<float> normalized)
    {
        TensorPrimitives.Subtract(x, FixedOrder.Sum(x) / x.Length, normalized);
        float r = 1 / MathF.Sqrt((FixedOrder.Dot(normalized, normalized) / x.Length) + epsilon);
        TensorPrimitives.Multiply(normalized, r, normalized);
        float mean = FixedOrder.Sum(g) / x.Length, slope = FixedOrder.Dot(g, normalized) / x.Length;
        Remove(normalized, mean, slope, r, g);
    }
}
