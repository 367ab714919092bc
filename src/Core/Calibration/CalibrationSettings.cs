using Compress.Core.Evaluation;
using Compress.Core.Recipes;

namespace Compress.Core.Calibration;

/// <summary>On what a language model is run to collect statistics of its layers.</summary>
/// <param name="Text">The absolute path of the text, or of a file of token ids.</param>
public sealed record CalibrationSettings(string Text)
{
    /// <summary>Where nothing else is said: enough for layers as wide as those of most models, and seconds for small ones.</summary>
    public const int DefaultTokens = 65_536;

    /// <summary>Windows are no longer where nothing else is said: attention takes memory of their square.</summary>
    public const int MaxDefaultWindow = 2048;

    /// <summary>How many tokens are used at most. Of a longer text, windows are drawn at random.</summary>
    public int Tokens { get; init; } = DefaultTokens;

    /// <summary>What is a sequence of its own.</summary>
    public TextUnit Unit { get; init; }

    /// <summary>
    /// Tokens of a window, that for the beginning included; null for as many as the model has positions for, but at most
    /// <see cref="MaxDefaultWindow"/>.
    /// </summary>
    public int? Window { get; init; }

    /// <summary>Which windows are drawn.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// How often gradients are taken: the first time of the source, then of what the compression made of it. More than once, a tenth of the windows is held out to choose from what comes out.
    /// </summary>
    public int Rounds { get; init; } = 1;

    /// <summary>Where a recipe names the text.</summary>
    public Position Position { get; init; } = new(1, 1);
}
