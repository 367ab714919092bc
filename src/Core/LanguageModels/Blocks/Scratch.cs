using System.Buffers;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Rented floats, given back at the end of a <c>using</c>. Not cleared.</summary>
internal readonly ref struct Scratch
{
    private readonly float[] rented;

    public Scratch(int length)
    {
        rented = ArrayPool<float>.Shared.Rent(length);
        Span = rented.AsSpan(0, length);
    }

    /// <summary>[tokens, width].</summary>
    public Scratch(int tokens, int width)
        : this(checked(tokens * width))
    {
    }

    public Span<float> Span { get; }

    public void Dispose() => ArrayPool<float>.Shared.Return(rented);
}
