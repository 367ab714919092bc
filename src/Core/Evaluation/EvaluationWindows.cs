using System.Text.RegularExpressions;

namespace Compress.Core.Evaluation;

/// <summary>Tokens that go through a model at once, from position 0.</summary>
/// <param name="Tokens">The tokens.</param>
/// <param name="FirstCounted">The first token whose prediction is counted: those before it are context. At least 1.</param>
public sealed record TokenWindow(int[] Tokens, int FirstCounted)
{
    /// <summary>How many predictions are counted.</summary>
    public int Counted => Tokens.Length - FirstCounted;
}

/// <summary>Cuts texts into windows.</summary>
public static partial class EvaluationWindows
{
    /// <summary>The paragraphs of a text: what stands between blank lines, without the blank ones.</summary>
    public static IEnumerable<string> Paragraphs(string text) =>
        BlankLines().Split(text).Select(paragraph => paragraph.Trim()).Where(paragraph => paragraph.Length > 0);

    /// <summary>One window for each sequence, cut to the window's length. Those that predict nothing are left out.</summary>
    /// <param name="sequences">The sequences, without a token for the beginning.</param>
    /// <param name="window">Tokens of a window, at least 2.</param>
    /// <param name="bos">The token to begin each with, or null.</param>
    public static IEnumerable<TokenWindow> OfParagraphs(IEnumerable<int[]> sequences, int window, int? bos)
    {
        foreach (int[] sequence in sequences)
        {
            int[] tokens = bos is { } first ? [first, .. sequence.AsSpan(0, Math.Min(sequence.Length, window - 1))] : sequence[..Math.Min(sequence.Length, window)];
            if (tokens.Length > 1)
            {
                yield return new(tokens, 1);
            }
        }
    }

    /// <summary>
    /// Windows over one long sequence, <paramref name="stride"/> tokens from one to the next. Each token is predicted once, in the first
    /// window that has it; the very first only after a token for the beginning.
    /// </summary>
    /// <param name="sequence">The sequence, without a token for the beginning.</param>
    /// <param name="window">Tokens of a window, that for the beginning included, at least 2.</param>
    /// <param name="stride">At least 1; null for windows that do not overlap.</param>
    /// <param name="bos">The token to begin each window with, or null.</param>
    public static IEnumerable<TokenWindow> OfDocument(int[] sequence, int window, int? stride, int? bos)
    {
        int lead = bos is null ? 0 : 1, length = window - lead;
        int step = Math.Min(stride ?? length, length), counted = 0;
        for (int start = 0; counted < sequence.Length && start < sequence.Length; start += step)
        {
            int end = Math.Min(start + length, sequence.Length);
            int[] tokens = bos is { } first ? [first, .. sequence.AsSpan(start, end - start)] : sequence[start..end];
            int firstCounted = Math.Max(1, lead + counted - start);
            if (firstCounted < tokens.Length)
            {
                yield return new(tokens, firstCounted);
            }

            counted = end;
        }
    }

    [GeneratedRegex(@"\r?\n[^\S\n]*\r?\n\s*")]
    private static partial Regex BlankLines();
}
