using Compress.Core.Recipes;

namespace Compress.Core.Evaluation;

/// <summary>What of a text is a sequence of its own.</summary>
public enum TextUnit
{
    /// <summary>The whole text, cut into windows.</summary>
    Document,

    /// <summary>Each paragraph (blank lines lie between), cut to one window.</summary>
    Paragraph,
}

/// <summary>On what a language model is measured, and how. All of it is in reports: another setting gives another perplexity.</summary>
/// <param name="Text">The absolute path of the text, or of a file of token ids.</param>
public sealed record EvaluationSettings(string Text)
{
    /// <summary>What is a sequence of its own.</summary>
    public TextUnit Unit { get; init; }

    /// <summary>Tokens of a window, that for the beginning included; null for as many as the model has positions for.</summary>
    public int? Window { get; init; }

    /// <summary>
    /// From one window of a document to the next, in tokens; null for windows that do not overlap. What an earlier window has predicted is
    /// not counted again.
    /// </summary>
    public int? Stride { get; init; }

    /// <summary>How many windows of a document, or paragraphs, are used; null for all.</summary>
    public int? Limit { get; init; }

    /// <summary>True to begin every window with the tokenizer's token for the beginning of a text, if it has one.</summary>
    public bool Bos { get; init; } = true;

    /// <summary>Where a recipe names the text.</summary>
    public Position Position { get; init; } = new(1, 1);
}
