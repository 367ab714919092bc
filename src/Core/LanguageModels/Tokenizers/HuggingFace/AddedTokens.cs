using System.Globalization;
using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>A token that is cut out of a text as it stands, before anything else happens to it.</summary>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized, bool Special)
{
    public static AddedToken Read(JsonPart part)
    {
        part.Only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
        return new(
            part["id"].Id(), part["content"].Text(), part["single_word"].Bool(false), part["lstrip"].Bool(false), part["rstrip"].Bool(false),
            part["normalized"].Bool(false), part["special"].Bool(false));
    }
}

/// <summary>Finds added tokens in a text: the leftmost first, the longest of those that start there.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<char, (string Text, AddedToken Token)[]> byFirst;

    /// <param name="tokens">What to look for, and as which text. Empty texts are never found.</param>
    public AddedTokens(IEnumerable<(string Text, AddedToken Token)> tokens) =>
        byFirst = tokens.Where(pair => pair.Text.Length > 0).GroupBy(pair => pair.Text[0]).ToDictionary(
            group => group.Key, group => group.OrderByDescending(pair => pair.Text.Length).ToArray());

    /// <summary>The stretches of a text: a token's, or others, without a token.</summary>
    public List<(string Text, AddedToken? Token)> Split(string text)
    {
        var parts = new List<(string Text, AddedToken? Token)>();
        int end = 0; // of the last part
        for (int at = 0; at < text.Length;)
        {
            if (Find(text, at) is not var (found, token))
            {
                at++;
                continue;
            }

            int start = at;
            at += found.Length;
            int stop = at;
            if (token.SingleWord && (EndsInWord(text.AsSpan(0, start)) || StartsInWord(text.AsSpan(stop))))
            {
                continue;
            }

            start = token.LeftStrip ? Math.Max(end, text.AsSpan(0, start).TrimEnd().Length) : start;
            stop = token.RightStrip ? text.Length - text.AsSpan(stop).TrimStart().Length : stop;
            AddPlain(start);
            parts.Add((text[start..stop], token));
            (at, end) = (stop, stop);
        }

        AddPlain(text.Length);
        return parts;

        void AddPlain(int to)
        {
            if (to > end)
            {
                parts.Add((text[end..to], null));
            }
        }
    }

    private (string Text, AddedToken Token)? Find(string text, int at)
    {
        if (byFirst.TryGetValue(text[at], out var candidates))
        {
            foreach (var candidate in candidates)
            {
                if (text.AsSpan(at).StartsWith(candidate.Text))
                {
                    return candidate;
                }
            }
        }

        return null;
    }

    private static bool EndsInWord(ReadOnlySpan<char> text) => Rune.DecodeLastFromUtf16(text, out var rune, out _) == 0 && IsOfWord(rune);

    private static bool StartsInWord(ReadOnlySpan<char> text) => Rune.DecodeFromUtf16(text, out var rune, out _) == 0 && IsOfWord(rune);

    // '\w' of Rust's regex: letters, marks, digits, connectors and the two joiners (UTS #18, annex C).
    private static bool IsOfWord(Rune rune) => rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune) is
        <= UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
