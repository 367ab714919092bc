namespace Compress.Core.LanguageModels.Tokenizers;

/// <summary>Turns text into token ids and back, as the program that the model was trained with does. Safe for several threads.</summary>
public interface ITokenizer
{
    /// <summary>One more than the largest id. A model's embedding has at least as many rows.</summary>
    int VocabularySize { get; }

    /// <summary>The token that begins a text, if the tokenizer has one.</summary>
    int? BosId { get; }

    /// <summary>The token that ends a text, if the tokenizer has one.</summary>
    int? EosId { get; }

    /// <summary>SHA-256 of the files that the tokenizer was read from, in hexadecimal.</summary>
    string Digest { get; }

    /// <summary>The text's ids, without BOS and EOS. A lone surrogate counts as U+FFFD.</summary>
    int[] Encode(string text);

    /// <summary>The text of the ids. Control tokens such as BOS are invisible; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in 0..VocabularySize-1.</exception>
    string Decode(ReadOnlySpan<int> ids);
}
