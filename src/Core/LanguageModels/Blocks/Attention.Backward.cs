using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed partial class Attention
{
    /// <summary>The gradients of what Apply computes.</summary>
    /// <param name="x">Its input, [tokens, width].</param>
    /// <param name="dy">The gradient of its output, [tokens, width].</param>
    /// <param name="dx">Receives the gradient of the input, [tokens, width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="projected">What <see cref="Project"/> gave.</param>
    /// <param name="projectedTokens">For how many tokens it did.</param>
    /// <param name="mixed">What <see cref="Mix"/> gave.</param>
    /// <param name="observer">Is told the gradients of weights.</param>
    public void Backward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int tokens,
        Span<float> projected, int projectedTokens, ReadOnlySpan<float> mixed, IGradientObserver observer)
    {
        using Scratch mixedGradient = new(tokens, MixedWidth), gradient = new(tokens, ProjectedWidth);
        output.Backward(mixed, dy, mixedGradient.Span, tokens, observer);
        Heads kept = Split(projected, projectedTokens), slopes = Split(gradient.Span, tokens);
        mix.Backward(kept, mixed, mixedGradient.Span, slopes, tokens);
        rotary?.ApplyInverse(slopes.Queries, slopes.QueryStride, shape.Heads, tokens);
        rotary?.ApplyInverse(slopes.Keys, slopes.KeyStride, shape.KeyValueHeads, tokens);
        if (projections is [var all])
        {
            all.Backward(x, gradient.Span, dx, tokens, observer);
        }
        else
        {
            projections[0].Backward(x, slopes.Queries, dx, tokens, observer);
            projections[1].Backward(x, slopes.Keys, dx, tokens, observer, add: true);
            projections[2].Backward(x, slopes.Values, dx, tokens, observer, add: true);
        }
    }
}
