using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed partial class FeedForward
{
    private const int ChunkFloats = 1024; // of activations that are computed again

    /// <summary>Floats that <see cref="Backward"/> computes again for a token.</summary>
    public int ActivationWidth => (gate is null ? 2 : 3) * up.Outputs;

    /// <summary>The gradients of what <see cref="Apply"/> computes. What is between the layers comes from a record, or is computed again.</summary>
    /// <param name="x">Its input, [tokens, width].</param>
    /// <param name="dy">The gradient of its output, [tokens, width].</param>
    /// <param name="dx">Receives the gradient of the input, [tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="observer">Is told those of weights.</param>
    /// <param name="record">What <see cref="Apply"/> left, if it is a whole one; else it is computed again.</param>
    public unsafe void Backward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int tokens, IGradientObserver observer, LayerRecord? record = null)
    {
        if (record is { IsWhole: true })
        {
            fixed (float* raised = record.Raised, gates = record.Gates)
            {
                BackwardFrom(raised, gates, x, dy, dx, tokens, observer);
            }

            return;
        }

        using Scratch ownRaised = new(tokens, InnerWidth), ownGates = new(IsGated ? tokens : 0, InnerWidth);
        up.Apply(x, ownRaised.Span, tokens);
        gate?.Apply(x, ownGates.Span, tokens);
        BackwardFrom(ownRaised.Pointer, ownGates.Pointer, x, dy, dx, tokens, observer);
    }

    private unsafe void BackwardFrom(
        float* values, float* factors, ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int tokens, IGradientObserver observer)
    {
        int inner = InnerWidth;
        using Scratch mixed = new(tokens, inner), gradient = new(tokens, inner);
        float* product = mixed.Pointer, slope = gradient.Pointer;
        bool gated = IsGated;
        Threads.ForTokens(tokens, (first, count) =>
        {
            long start = (long)first * inner;
            ReadOnlySpan<float> ups = new(values + start, count * inner), raw = gated ? new(factors + start, ups.Length) : ups;
            var result = new Span<float>(product + start, ups.Length);
            raw.CopyTo(result);
            activation.Apply(result);
            if (gated)
            {
                TensorPrimitives.Multiply(result, ups, result);
            }
        });
        down.Backward(mixed.Span, dy, gradient.Span, tokens, observer);
        if (gate is null)
        {
            Threads.ForTokens(tokens, (first, count) =>
            {
                long start = (long)first * inner;
                activation.Backward(new(values + start, count * inner), new(slope + start, count * inner));
            });
            up.Backward(x, gradient.Span, dx, tokens, observer);
            return;
        }

        // From d(f(gate) · up) in gradient: d(up) goes where the product was, d(gate) stays there.
        Threads.ForTokens(tokens, (first, count) =>
        {
            Span<float> activated = stackalloc float[ChunkFloats];
            for (int done = 0; done < count * inner; done += ChunkFloats)
            {
                long start = ((long)first * inner) + done;
                int length = Math.Min(ChunkFloats, (count * inner) - done);
                var f = activated[..length];
                var own = new Span<float>(slope + start, length);
                var raw = new ReadOnlySpan<float>(factors + start, length);
                raw.CopyTo(f);
                activation.Apply(f);
                TensorPrimitives.Multiply(own, f, new Span<float>(product + start, length));
                TensorPrimitives.Multiply(own, new ReadOnlySpan<float>(values + start, length), own);
                activation.Backward(raw, own);
            }
        });
        up.Backward(x, mixed.Span, dx, tokens, observer);
        gate.Backward(x, gradient.Span, dx, tokens, observer, add: true);
    }
}
