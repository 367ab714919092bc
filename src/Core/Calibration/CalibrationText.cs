using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Runtime.Numerics;

namespace Compress.Core.Calibration;

/// <summary>The windows of tokens that a model is run on.</summary>
/// <param name="Windows">In the order of the text.</param>
/// <param name="Description">What they follow from, in words <c>name=value</c>. The same words mean the same windows.</param>
/// <param name="Files">The absolute paths of the files read.</param>
internal sealed record CalibrationText(IReadOnlyList<int[]> Windows, string Description, IReadOnlyList<string> Files)
{
    /// <summary>Tokens in all windows.</summary>
    public int Tokens { get; } = Windows.Sum(window => window.Length);

    /// <summary>Reads a text, cuts it into windows, and draws as many of them at random as have the tokens that are asked for.</summary>
    /// <exception cref="CompressException">The text or the tokenizer cannot be read, or does not fit the model.</exception>
    public static CalibrationText Read(CalibrationSettings settings, string modelFolder, LanguageModel model)
    {
        int window = settings.Window ?? Math.Min(model.MaxPositions, CalibrationSettings.MaxDefaultWindow);
        var text = TextTokens.Read(
            new EvaluationSettings(settings.Text) { Unit = settings.Unit, Window = window }, modelFolder, model.MaxPositions, model.VocabularySize, shorter: true);
        var all = text.Windows.Select(part => part.Tokens).ToList();
        bool draws = all.Sum(tokens => (long)tokens.Length) > settings.Tokens;
        var windows = draws ? Draw(all, settings.Tokens, settings.Seed) : all;
        string description = string.Create(CultureInfo.InvariantCulture,
            $"text={Digest(windows)} tokens={windows.Sum(tokens => tokens.Length)} unit={(settings.Unit == TextUnit.Paragraph ? "paragraph" : "document")} window={window}");
        return new(windows, draws ? description + string.Create(CultureInfo.InvariantCulture, $" seed={settings.Seed}") : description, text.Files);
    }

    // The windows in random order until there are enough tokens; the last is cut. Then in the order of the text again.
    private static List<int[]> Draw(List<int[]> windows, int tokens, ulong seed)
    {
        var drawn = new List<(int Index, int[] Tokens)>();
        foreach (int index in Enumerable.Range(0, windows.Count).OrderBy(index => Signs.Word(seed, index)).ThenBy(index => index))
        {
            int length = Math.Min(windows[index].Length, tokens);
            drawn.Add((index, windows[index][..length]));
            tokens -= length;
            if (tokens == 0)
            {
                break;
            }
        }

        return [.. drawn.OrderBy(window => window.Index).Select(window => window.Tokens)];
    }

    private static string Digest(List<int[]> windows)
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
