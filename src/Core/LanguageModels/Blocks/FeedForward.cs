using System.Numerics.Tensors;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>
/// The feed-forward part of a layer: <c>down(f(up(x)))</c>, or, gated, <c>down(f(gate(x)) · up(x))</c> (SwiGLU if f is SiLU; Shazeer,
/// arXiv 2002.05202).
/// </summary>
internal sealed partial class FeedForward(Linear? gate, Linear up, Linear down, Activation activation)
{
    /// <summary>Applies it to every token.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="y">[tokens, width].</param>
    /// <param name="tokens">How many.</param>
    public unsafe void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens)
    {
        int inner = up.Outputs;
        using Scratch raised = new(tokens, inner), gates = new(gate is null ? 0 : tokens, inner);
        up.Apply(x, raised.Span, tokens);
        gate?.Apply(x, gates.Span, tokens);
        float* values = raised.Pointer, factors = gates.Pointer;
        Threads.ForTokens(tokens, (first, count) =>
        {
            long start = (long)first * inner;
            var own = new Span<float>(values + start, count * inner);
            if (gate is null)
            {
                activation.Apply(own);
            }
            else
            {
                var ownGates = new Span<float>(factors + start, own.Length);
                activation.Apply(ownGates);
                TensorPrimitives.Multiply(own, ownGates, own);
            }
        });
        down.Apply(raised.Span, y, tokens);
    }
}
