namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Queries, keys and values of a sequence, or their gradients.</summary>
internal readonly ref struct Heads
{
    /// <summary>[tokens, <see cref="QueryStride"/>].</summary>
    public required Span<float> Queries { get; init; }

    /// <summary>[tokens, <see cref="KeyStride"/>].</summary>
    public required Span<float> Keys { get; init; }

    /// <summary>[tokens, <see cref="KeyStride"/>].</summary>
    public required Span<float> Values { get; init; }

    /// <summary>From one token's queries to the next one's.</summary>
    public required int QueryStride { get; init; }

    /// <summary>From one token's keys, and values, to the next one's.</summary>
    public required int KeyStride { get; init; }
}
