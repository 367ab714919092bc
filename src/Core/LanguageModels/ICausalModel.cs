namespace Compress.Core.LanguageModels;

/// <summary>What evaluation asks of a language model. An object is used by one thread at a time.</summary>
public interface ICausalModel
{
    /// <summary>Entries of the vocabulary.</summary>
    int VocabularySize { get; }

    /// <summary>The longest sequence that the model knows positions for.</summary>
    int MaxPositions { get; }

    /// <summary>The logits of the token after each of these, which stand at positions 0, 1, 2, …</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="logits">[tokens, vocabulary].</param>
    void Forward(ReadOnlySpan<int> tokens, Span<float> logits);
}
