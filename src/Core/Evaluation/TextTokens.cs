using System.Security.Cryptography;
using System.Runtime.InteropServices;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels.Tokenizers;

namespace Compress.Core.Evaluation;

/// <summary>A text in windows of tokens, as the settings say.</summary>
/// <param name="Windows">At least one, in which at least one token is predicted.</param>
/// <param name="Window">Tokens of a window.</param>
/// <param name="Bos">The token that each begins with, or null.</param>
/// <param name="Files">The absolute paths of the files read.</param>
public sealed record TextTokens(IReadOnlyList<TokenWindow> Windows, int Window, int? Bos, IReadOnlyList<string> Files)
{
    /// <summary>Files with this ending have token ids in them, not text.</summary>
    internal const string IdsExtension = ".ids";

    /// <summary>SHA-256 over all windows: of everything that text, tokenizer and settings say.</summary>
    public string Digest
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var window in Windows)
            {
                hash.AppendData(MemoryMarshal.AsBytes<int>([window.Tokens.Length, window.FirstCounted]));
                hash.AppendData(MemoryMarshal.AsBytes<int>(window.Tokens));
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    /// <summary>Reads a text and cuts it into windows.</summary>
    /// <param name="settings">Which text, and how.</param>
    /// <param name="modelFolder">The folder of the model, where its tokenizer is.</param>
    /// <param name="maxPositions">The longest sequence that the model knows positions for.</param>
    /// <param name="vocabularySize">Token ids are less.</param>
    /// <exception cref="CompressException">The text or the tokenizer cannot be read, or the text gives no tokens to predict.</exception>
    public static TextTokens Read(EvaluationSettings settings, string modelFolder, int maxPositions, int vocabularySize)
    {
        int window = settings.Window ?? maxPositions;
        CheckWindow(window, maxPositions, settings.Text);
        (List<int[]> sequences, int? bos, string[] files) = Path.GetExtension(settings.Text) == IdsExtension
            ? ([TokenFile.Read(settings.Text, vocabularySize)], null, [settings.Text])
            : Tokenize(settings, modelFolder, vocabularySize);
        var windows = (settings.Unit == TextUnit.Paragraph
                ? EvaluationWindows.OfParagraphs(sequences, window, bos)
                : EvaluationWindows.OfDocument(AtLeastOneWindow(sequences[0], window, bos, settings), window, settings.Stride, bos))
            .Take(settings.Limit ?? int.MaxValue).ToList();
        return windows.Count > 0
            ? new(windows, window, bos, files)
            : throw NothingToPredict(settings.Text);
    }

    // A shorter text would be measured with less context than was asked for, and look worse than it is.
    private static int[] AtLeastOneWindow(int[] sequence, int window, int? bos, EvaluationSettings settings)
    {
        int needed = bos is null ? window : window - 1;
        return sequence.Length == 0 ? throw NothingToPredict(settings.Text)
            : sequence.Length >= needed ? sequence
            : throw new CompressException(Codes.EvaluationText,
                $"the text has {sequence.Length} tokens, and one window takes {needed}; give a longer text or a smaller window", settings.Text);
    }

    /// <summary>What is wrong with a text that gives no window.</summary>
    internal static CompressException NothingToPredict(string text) =>
        new(Codes.EvaluationText, "the text has too few tokens to predict one; give a longer one", text);

    /// <summary>Checks that a model has positions for a window.</summary>
    /// <exception cref="CompressException">It has not.</exception>
    internal static void CheckWindow(int window, int maxPositions, string text)
    {
        if (window > maxPositions)
        {
            throw new CompressException(
                Codes.EvaluationText, $"a window of {window} tokens was asked for, and the model has positions for {maxPositions}; give a smaller one", text);
        }
    }

    /// <summary>Opens the tokenizer of a model.</summary>
    /// <exception cref="CompressException">There is none, it cannot be read, or does not fit the model.</exception>
    internal static (ITokenizer Tokenizer, string File) OpenTokenizer(string modelFolder, int vocabularySize)
    {
        string file = TokenizerFile.Find(modelFolder);
        var tokenizer = TokenizerFile.Open(file);
        TokenizerFile.CheckFits(tokenizer, file, vocabularySize);
        return (tokenizer, file);
    }

    private static (List<int[]> Sequences, int? Bos, string[] Files) Tokenize(EvaluationSettings settings, string modelFolder, int vocabularySize)
    {
        string text = string.Concat(TextStream.Pieces(settings.Text));
        if (string.IsNullOrWhiteSpace(text))
        {
            throw NothingToPredict(settings.Text);
        }

        var (tokenizer, file) = OpenTokenizer(modelFolder, vocabularySize);
        // As many paragraphs as are asked for, and no more: texts may be long.
        var parts = settings.Unit == TextUnit.Paragraph ? EvaluationWindows.Paragraphs(text).Take(settings.Limit ?? int.MaxValue) : [text];
        return ([.. parts.Select(tokenizer.Encode)], settings.Bos ? tokenizer.BosId : null, [settings.Text, file]);
    }
}
