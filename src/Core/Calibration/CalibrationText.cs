using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Tokenizers;

namespace Compress.Core.Calibration;

/// <summary>The windows of tokens that a model is run on.</summary>
/// <param name="Windows">In the order of the text.</param>
/// <param name="Description">What they follow from, in words <c>name=value</c>. The same words mean the same windows.</param>
/// <param name="Files">The absolute paths of the files read.</param>
internal sealed record CalibrationText(IReadOnlyList<int[]> Windows, string Description, IReadOnlyList<string> Files)
{
    /// <summary>Tokens in all windows.</summary>
    public int Tokens { get; } = Windows.Sum(window => window.Length);

    /// <summary>Windows that are held out of <see cref="Windows"/>.</summary>
    public IReadOnlyList<int[]> HeldOut { get; private init; } = [];

    /// <summary>This text without its last tenth of windows, which are held out.</summary>
    /// <returns>Null if there are fewer than two windows.</returns>
    public CalibrationText? WithHeldOut()
    {
        int held = Math.Max(1, Windows.Count / 10);
        return Windows.Count < 2 ? null : new(Windows.Take(Windows.Count - held).ToList(), string.Create(CultureInfo.InvariantCulture, $"{Description} heldOut={held}"), Files)
        {
            HeldOut = Windows.Skip(Windows.Count - held).ToList(),
        };
    }

    /// <summary>
    /// Reads a text, cuts it into windows, and draws as many of them at random as have the tokens that are asked for. The text may be of any length: it is
    /// read and tokenized piece by piece, and no more windows are held than are drawn.
    /// </summary>
    /// <exception cref="CompressException">The text or the tokenizer cannot be read, or does not fit the model.</exception>
    public static CalibrationText Read(CalibrationSettings settings, string modelFolder, LanguageModel model)
    {
        int window = settings.Window ?? Math.Min(model.MaxPositions, CalibrationSettings.MaxDefaultWindow);
        TextTokens.CheckWindow(window, model.MaxPositions, settings.Text);
        var (all, files) = Cut(settings, window, modelFolder, model.VocabularySize);
        var drawn = new WindowDraw(settings.Tokens, settings.Seed);
        foreach (int[] tokens in all)
        {
            drawn.Add(tokens);
        }

        var windows = drawn.Windows();
        if (windows.Count == 0)
        {
            throw TextTokens.NothingToPredict(settings.Text);
        }

        string description = string.Create(CultureInfo.InvariantCulture,
            $"text={Digest(windows)} tokens={windows.Sum(tokens => tokens.Length)} unit={(settings.Unit == TextUnit.Paragraph ? "paragraph" : "document")} window={window}");
        return new(windows, drawn.LeavesSome ? description + string.Create(CultureInfo.InvariantCulture, $" seed={settings.Seed}") : description, files);
    }

    // The windows, as the text is read.
    private static (IEnumerable<int[]> Windows, string[] Files) Cut(CalibrationSettings settings, int window, string modelFolder, int vocabularySize)
    {
        bool paragraphs = settings.Unit == TextUnit.Paragraph;
        if (Path.GetExtension(settings.Text) == TextTokens.IdsExtension)
        {
            var ids = TokenFile.Stream(settings.Text, vocabularySize);
            return (paragraphs ? OfParagraphs([[.. ids.Take(window)]], window, null) : OfDocument(ids, window, null), [settings.Text]);
        }

        if (TextStream.Pieces(settings.Text).All(string.IsNullOrWhiteSpace))
        {
            throw TextTokens.NothingToPredict(settings.Text);
        }

        var (tokenizer, file) = TextTokens.OpenTokenizer(modelFolder, vocabularySize);
        var windows = paragraphs
            ? OfParagraphs(TextStream.Paragraphs(settings.Text).Select(tokenizer.Encode), window, tokenizer.BosId)
            : OfDocument(
                TextStream.Pieces(settings.Text).Where(piece => !string.IsNullOrWhiteSpace(piece)).SelectMany(tokenizer.Encode), window, tokenizer.BosId);
        return (windows, [settings.Text, file]);
    }

    private static IEnumerable<int[]> OfParagraphs(IEnumerable<int[]> sequences, int window, int? bos) =>
        EvaluationWindows.OfParagraphs(sequences, window, bos).Select(part => part.Tokens);

    // Those of EvaluationWindows.OfDocument without overlap.
    private static IEnumerable<int[]> OfDocument(IEnumerable<int> sequence, int window, int? bos) =>
        sequence.Chunk(bos is null ? window : window - 1).Select(part => bos is { } first ? [first, .. part] : part).Where(tokens => tokens.Length > 1);

    /// <summary>SHA-256 over windows of tokens, in lower-case hexadecimal digits.</summary>
    public static string Digest(IReadOnlyList<int[]> windows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (int[] window in windows)
        {
            hash.AppendData(MemoryMarshal.AsBytes<int>([window.Length]));
            hash.AppendData(MemoryMarshal.AsBytes<int>(window));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
