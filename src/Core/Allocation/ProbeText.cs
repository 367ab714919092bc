using Compress.Core.Calibration;
using Compress.Core.LanguageModels;
using Compress.Runtime.Numerics;

namespace Compress.Core.Allocation;

/// <summary>The windows of tokens that probes are measured on, in an order in which any number of them is a fair sample.</summary>
/// <param name="Windows">At least one, of two tokens or more.</param>
/// <param name="IsText">False if the tokens are random: what follows them says nothing then.</param>
/// <param name="Files">The absolute paths of the files read.</param>
internal sealed record ProbeText(IReadOnlyList<int[]> Windows, bool IsText, IReadOnlyList<string> Files)
{
    // Many short windows tell how far results scatter; longer ones only take more memory.
    private const int WindowTokens = 256;

    /// <summary>SHA-256 over all windows.</summary>
    public string Digest => CalibrationText.Digest(Windows);

    /// <summary>Tokens drawn from the vocabulary, all equally likely: no data is needed.</summary>
    public static ProbeText Random(LanguageModel model, int tokens)
    {
        int length = Math.Min(WindowTokens, model.MaxPositions), count = Math.Max(1, tokens / length);
        return new(
            [.. Enumerable.Range(0, count).Select(window => Enumerable.Range(0, length)
                .Select(i => (int)(Signs.Word(0, (window * length) + i) % (ulong)model.VocabularySize)).ToArray())],
            IsText: false, []);
    }

    /// <summary>Windows of a calibration text, drawn at random as for a calibration.</summary>
    /// <exception cref="Diagnostics.CompressException">The text or the tokenizer cannot be read, or does not fit the model.</exception>
    public static ProbeText Calibration(LanguageModel model, string folder, CalibrationSettings settings, int tokens)
    {
        int window = Math.Min(Math.Min(settings.Window ?? WindowTokens, WindowTokens), model.MaxPositions);
        var text = CalibrationText.Read(settings with { Window = window, Tokens = Math.Min(tokens, settings.Tokens) }, folder, model);
        var windows = text.Windows.Where(part => part.Length > 1).ToList();
        return new([.. Enumerable.Range(0, windows.Count).OrderBy(i => Signs.Word(settings.Seed, i)).ThenBy(i => i).Select(i => windows[i])], IsText: true, text.Files);
    }
}
