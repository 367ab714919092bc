using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Weights;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>A decoder-only transformer: embeddings, layers, a norm, a head. Architectures differ in what they put in.</summary>
internal sealed partial class Decoder
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

    /// <summary>Length of what goes from layer to layer.</summary>
    public int LayerWidth => ProjectIn?.Outputs ?? TokenEmbedding.Columns;

    /// <summary>Length of what the head is applied to.</summary>
    public int HiddenWidth => Head.Inputs;

    /// <summary>The logits of the token that follows each.</summary>
    /// <param name="tokens">A sequence from position 0.</param>
    /// <param name="logits">[tokens, vocabulary].</param>
    public void Forward(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        using var hidden = new Scratch(tokens.Length, HiddenWidth);
        Hidden(tokens, hidden.Span);
        Head.Apply(hidden.Span, logits, tokens.Length);
    }

    /// <summary>What the head is applied to.</summary>
    /// <param name="tokens">A sequence from position 0.</param>
    /// <param name="hidden">[tokens, hidden width].</param>
    public void Hidden(ReadOnlySpan<int> tokens, Span<float> hidden)
    {
        using var x = new Scratch(tokens.Length, LayerWidth);
        Embed(tokens, x.Span);
        foreach (var layer in Layers)
        {
            layer.Apply(x.Span, tokens.Length);
        }

        Finish(x.Span, hidden, tokens.Length);
    }

    /// <summary>The input of the first layer.</summary>
    public void Embed(ReadOnlySpan<int> tokens, Span<float> x)
    {
        using var buffer = new Scratch(ProjectIn is null ? 0 : tokens.Length, TokenEmbedding.Columns);
        var embedded = ProjectIn is null ? x : buffer.Span;
        ReadEmbeddings(tokens, embedded);
        ProjectIn?.Apply(embedded, x, tokens.Length);
        if (PositionEmbedding is not null)
        {
            using var positions = new Scratch(x.Length);
            PositionEmbedding.ReadRows(PositionOffset, tokens.Length, positions.Span);
            TensorPrimitives.Add(x, positions.Span, x);
        }
    }

    private void ReadEmbeddings(ReadOnlySpan<int> tokens, Span<float> embedded)
    {
        int width = TokenEmbedding.Columns;
        for (int i = 0; i < tokens.Length; i++)
        {
            TokenEmbedding.ReadRows(tokens[i], 1, embedded.Slice(i * width, width));
        }
    }

    /// <summary>From the last layer's output to what the head is applied to: norm and projection.</summary>
    public void Finish(ReadOnlySpan<float> x, Span<float> hidden, int tokens)
    {
        using var buffer = new Scratch(ProjectOut is null ? 0 : x.Length);
        var normalized = ProjectOut is null ? hidden : buffer.Span;
        Normalize(x, normalized, tokens);
        ProjectOut?.Apply(normalized, hidden, tokens);
    }

    private void Normalize(ReadOnlySpan<float> x, Span<float> normalized, int tokens)
    {
        if (FinalNorm is null)
        {
            x.CopyTo(normalized);
        }
        else
        {
            FinalNorm.Apply(x, normalized, tokens);
        }
    }
}
