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
    public void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens)
    {
        using var raised = new Scratch(tokens, up.Outputs);
        up.Apply(x, raised.Span, tokens);
        if (gate is null)
        {
            activation(raised.Span);
        }
        else
        {
            using var gates = new Scratch(tokens, gate.Outputs);
            gate.Apply(x, gates.Span, tokens);
            activation(gates.Span);
            TensorPrimitives.Multiply(raised.Span, gates.Span, raised.Span);
        }

        down.Apply(raised.Span, y, tokens);
    }
}
