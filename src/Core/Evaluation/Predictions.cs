using Compress.Core.LanguageModels;

namespace Compress.Core.Evaluation;

/// <summary>Some tokens of a window, all of which are counted.</summary>
/// <param name="First">The index of the first in the window.</param>
/// <param name="End">The index behind the last.</param>
internal readonly record struct TokenBlock(int First, int End);

/// <summary>
/// Logarithms of the probabilities that a model gives to the tokens of one window, a block of tokens at a time: 2,048 tokens of a vocabulary of
/// 128,256 would take a gigabyte.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="windows">All windows that will be read.</param>
internal sealed class Predictions(ICausalModel model, IReadOnlyList<TokenWindow> windows)
{
    // 64 MiB. The head's weights are read once for each block, so that it should not be small.
    private const int MostLogits = 1 << 24;

    private readonly float[] hidden = new float[checked(Longest(windows) * model.HiddenWidth)];
    private readonly float[] logits = new float[checked(RowsAtOnce(model, windows) * model.VocabularySize)];
    private readonly float[] scratch = new float[model.VocabularySize];
    private int filled;

    /// <summary>Runs the model over a window.</summary>
    public void Read(TokenWindow window)
    {
        // The last token predicts nothing that is known.
        int count = window.Tokens.Length - 1;
        model.Hidden(window.Tokens.AsSpan(0, count), hidden.AsSpan(0, count * model.HiddenWidth));
    }

    /// <summary>The counted tokens of a window in blocks.</summary>
    public IEnumerable<TokenBlock> Blocks(TokenWindow window)
    {
        int rows = RowsAtOnce(model, windows);
        for (int first = window.FirstCounted; first < window.Tokens.Length; first += rows)
        {
            yield return new(first, Math.Min(first + rows, window.Tokens.Length));
        }
    }

    /// <summary>Makes the predictions of a block's tokens, in the place of the last block's.</summary>
    public void Fill(TokenBlock block)
    {
        int count = block.End - block.First;
        model.Logits(hidden.AsSpan((block.First - 1) * model.HiddenWidth, count * model.HiddenWidth), logits.AsSpan(0, count * model.VocabularySize), count);
        filled = block.First;
        for (int token = block.First; token < block.End; token++)
        {
            Losses.LogSoftmax(Row(token), scratch);
        }
    }

    /// <summary>What was predicted for the token of that index, from those before it.</summary>
    public ReadOnlySpan<float> Of(int token) => Row(token);

    /// <summary>Σ −ln p(token) over a block.</summary>
    public double Nll(TokenBlock block, TokenWindow window)
    {
        double nll = 0;
        for (int token = block.First; token < block.End; token++)
        {
            nll -= Row(token)[window.Tokens[token]];
        }

        return nll;
    }

    private static int Longest(IReadOnlyList<TokenWindow> windows) => windows.Select(window => window.Tokens.Length - 1).DefaultIfEmpty().Max();

    private static int RowsAtOnce(ICausalModel model, IReadOnlyList<TokenWindow> windows) =>
        Math.Clamp(MostLogits / model.VocabularySize, 1, Math.Max(1, Longest(windows)));

    private Span<float> Row(int token) => logits.AsSpan((token - filled) * model.VocabularySize, model.VocabularySize);
}
