namespace Compress.Core.LanguageModels;

/// <summary>
/// What evaluation asks of a language model: a pass over a sequence, and then the logits of as many of its tokens at once as memory should hold. An
/// object is used by one thread at a time.
/// </summary>
public interface ICausalModel
{
    /// <summary>Entries of the vocabulary.</summary>
    int VocabularySize { get; }

    /// <summary>The longest sequence that the model knows positions for.</summary>
    int MaxPositions { get; }

    /// <summary>Values of a token from which <see cref="Logits"/> makes its logits.</summary>
    int HiddenWidth { get; }

    /// <summary>What the logits of the token after each of these are made of. The tokens stand at positions 0, 1, 2, …</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="hidden">Receives [tokens, hidden width].</param>
    void Hidden(ReadOnlySpan<int> tokens, Span<float> hidden);

    /// <summary>The logits of the token after each of some tokens.</summary>
    /// <param name="hidden">[count, hidden width]: rows of what <see cref="Hidden"/> gave.</param>
    /// <param name="logits">Receives [count, vocabulary].</param>
    /// <param name="count">How many tokens.</param>
    void Logits(ReadOnlySpan<float> hidden, Span<float> logits, int count);
}
