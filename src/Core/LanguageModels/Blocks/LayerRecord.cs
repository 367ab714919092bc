using System.Buffers;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>What a layer computed for a sequence, and need not compute again when gradients go back through it.</summary>
internal sealed class LayerRecord : IDisposable
{
    private readonly List<float[]> rented = [];
    private readonly Memory<float> mixed, projected, middle, raised, gates;

    /// <param name="layer">The layer.</param>
    /// <param name="tokens">Tokens of the sequence.</param>
    /// <param name="whole">True for all inputs of products; false for attention's mixed values alone, which are the costliest for their size.</param>
    public LayerRecord(DecoderLayer layer, int tokens, bool whole)
    {
        (Tokens, IsWhole) = (tokens, whole);
        mixed = Rent(layer.MixedWidth);
        if (whole)
        {
            projected = Rent(layer.ProjectedWidth);
            middle = Rent(layer.Width);
            raised = Rent(layer.InnerWidth);
            gates = Rent(layer.IsGated ? layer.InnerWidth : 0);
        }
    }

    /// <summary>How many tokens.</summary>
    public int Tokens { get; }

    /// <summary>True if there is more than <see cref="Mixed"/>.</summary>
    public bool IsWhole { get; }

    /// <summary>The input of attention's last layer, [tokens, mixed width].</summary>
    public Span<float> Mixed => mixed.Span;

    /// <summary>Queries, keys and values.</summary>
    public Span<float> Projected => projected.Span;

    /// <summary>The input with what attention adds to it, [tokens, width].</summary>
    public Span<float> Middle => middle.Span;

    /// <summary>What the feed-forward part's first layer gives, [tokens, inner width].</summary>
    public Span<float> Raised => raised.Span;

    /// <summary>What its gate gives, before the activation function; empty if it has none.</summary>
    public Span<float> Gates => gates.Span;

    /// <summary>Floats of a whole record for a token.</summary>
    public static int WholeWidth(DecoderLayer layer) =>
        layer.MixedWidth + layer.ProjectedWidth + layer.Width + (layer.InnerWidth * (layer.IsGated ? 2 : 1));

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        rented.ForEach(values => ArrayPool<float>.Shared.Return(values));
        rented.Clear();
    }

    private Memory<float> Rent(int width)
    {
        if (width == 0)
        {
            return default;
        }

        rented.Add(ArrayPool<float>.Shared.Rent(checked(Tokens * width)));
        return rented[^1].AsMemory(0, Tokens * width);
    }
}
