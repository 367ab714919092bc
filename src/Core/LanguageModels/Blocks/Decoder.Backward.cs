using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed partial class Decoder
{
    /// <summary>From the gradient of what the head is applied to, to that of the last layer's output.</summary>
    /// <param name="x">The last layer's output, [tokens, layer width].</param>
    /// <param name="hiddenGradient">[tokens, hidden width].</param>
    /// <param name="gradient">Receives [tokens, layer width].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="observer">Is told those of weights.</param>
    public void FinishBackward(
        ReadOnlySpan<float> x, ReadOnlySpan<float> hiddenGradient, Span<float> gradient, int tokens, IGradientObserver observer)
    {
        if (ProjectOut is null)
        {
            hiddenGradient.CopyTo(gradient);
        }
        else
        {
            using var normalized = new Scratch(x.Length);
            Normalize(x, normalized.Span, tokens);
            ProjectOut.Backward(normalized.Span, hiddenGradient, gradient, tokens, observer);
        }

        FinalNorm?.Backward(x, gradient, gradient, tokens, observer, add: false);
    }

    /// <summary>From the gradient of the first layer's input to those of embeddings.</summary>
    /// <param name="tokens">The sequence.</param>
    /// <param name="gradient">[tokens, layer width].</param>
    /// <param name="observer">Is told them.</param>
    public void EmbedBackward(ReadOnlySpan<int> tokens, ReadOnlySpan<float> gradient, IGradientObserver observer)
    {
        if (PositionEmbedding is not null)
        {
            observer.OnRows(PositionEmbedding.Name, [.. Enumerable.Range(PositionOffset, tokens.Length)], gradient);
        }

        if (ProjectIn is null)
        {
            observer.OnRows(TokenEmbedding.Name, tokens, gradient);
        }
        else
        {
            using Scratch embedded = new(tokens.Length, TokenEmbedding.Columns), slope = new(tokens.Length, TokenEmbedding.Columns);
            ReadEmbeddings(tokens, embedded.Span);
            ProjectIn.Backward(embedded.Span, gradient, slope.Span, tokens.Length, observer);
            observer.OnRows(TokenEmbedding.Name, tokens, slope.Span);
        }
    }
}
