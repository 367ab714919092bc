using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Weights;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>A decoder-only transformer: embeddings, layers, a norm, a head. Architectures differ in what they put in.</summary>
internal sealed class Decoder
{
    /// <summary>The most positions that the model knows.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>[vocabulary, width].</summary>
    public required Parameter TokenEmbedding { get; init; }

    /// <summary>[positions, width], added to those of the tokens; null if there is none.</summary>
    public Parameter? PositionEmbedding { get; init; }

    /// <summary>The row of <see cref="PositionEmbedding"/> for position 0.</summary>
    public int PositionOffset { get; init; }

    /// <summary>From the width of embeddings to that of layers; null if they are the same.</summary>
    public Linear? ProjectIn { get; init; }

    /// <summary>All layers, the first first.</summary>
    public required IReadOnlyList<DecoderLayer> Layers { get; init; }

    /// <summary>After the layers; null if there is none.</summary>
    public required Norm? FinalNorm { get; init; }

    /// <summary>From the width of layers to that of the head; null if they are the same.</summary>
    public Linear? ProjectOut { get; init; }

    /// <summary>To logits: [vocabulary, width].</summary>
    public required Linear Head { get; init; }

    /// <summary>The logits of the token that follows each.</summary>
    /// <param name="tokens">A sequence from position 0.</param>
    /// <param name="logits">[tokens, vocabulary].</param>
    public void Forward(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        int width = TokenEmbedding.Columns;
        using var embedded = new Scratch(tokens.Length, width);
        for (int i = 0; i < tokens.Length; i++)
        {
            TokenEmbedding.ReadRows(tokens[i], 1, embedded.Span.Slice(i * width, width));
        }

        if (ProjectIn is null)
        {
            Run(embedded.Span, tokens.Length, logits);
        }
        else
        {
            using var projected = new Scratch(tokens.Length, ProjectIn.Outputs);
            ProjectIn.Apply(embedded.Span, projected.Span, tokens.Length);
            Run(projected.Span, tokens.Length, logits);
        }
    }

    private void Run(Span<float> x, int tokens, Span<float> logits)
    {
        if (PositionEmbedding is not null)
        {
            using var positions = new Scratch(x.Length);
            PositionEmbedding.ReadRows(PositionOffset, tokens, positions.Span);
            TensorPrimitives.Add(x, positions.Span, x);
        }

        foreach (var layer in Layers)
        {
            layer.Apply(x, tokens);
        }

        FinalNorm?.Apply(x, x, tokens);
        if (ProjectOut is null)
        {
            Head.Apply(x, logits, tokens);
        }
        else
        {
            using var projected = new Scratch(tokens, ProjectOut.Outputs);
            ProjectOut.Apply(x, projected.Span, tokens);
            Head.Apply(projected.Span, logits, tokens);
        }
    }
}
