using System.Numerics.Tensors;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>
/// The feed-forward part of a layer: <c>down(f(up(x)))</c>, or, gated, <c>down(f(gate(x)) · up(x))</c> (SwiGLU if f is SiLU; Shazeer,
/// arXiv 2002.05202).
/// </summary>
internal sealed partial class FeedForward(Linear? gate, Linear up, Linear down, Activation activation)
{
    /// <summary>Values of a token between the layers.</summary>
    public int InnerWidth => up.Outputs;

    /// <summary>True if it has a gate.</summary>
    public bool IsGated => gate is not null;

    /// <summary>Applies it to every token.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="y">[tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="record">Receives what is costly to compute again, if it is a whole one.</param>
    public unsafe void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens, LayerRecord? record = null)
    {
        int inner = InnerWidth;
        bool keeps = record is { IsWhole: true }, gated = IsGated;
        using Scratch ownRaised = new(keeps ? 0 : tokens, inner), ownGates = new(keeps || !gated ? 0 : tokens, inner), product = new(keeps ? tokens : 0, inner);
        Span<float> raised = keeps ? record!.Raised : ownRaised.Span, gates = keeps ? record!.Gates : ownGates.Span;
        var activated = gated ? gates : raised;
        var result = keeps ? product.Span : activated;
        RotatedInput rotated = default;
        up.Apply(x, raised, tokens, ref rotated);
        gate?.Apply(x, gates, tokens, ref rotated);
        rotated.Dispose();
        fixed (float* pinnedRaised = raised, pinnedActivated = activated, pinnedResult = result)
        {
            float* values = pinnedRaised, from = pinnedActivated, to = pinnedResult;
            Threads.ForTokens(tokens, (first, count) =>
            {
                long start = (long)first * inner;
                var own = new Span<float>(to + start, count * inner);
                if (keeps)
                {
                    new ReadOnlySpan<float>(from + start, own.Length).CopyTo(own);
                }

                activation.Apply(own);
                if (gated)
                {
                    TensorPrimitives.Multiply(own, new ReadOnlySpan<float>(values + start, own.Length), own);
                }
            });
        }

        down.Apply(result, y, tokens);
    }
}
