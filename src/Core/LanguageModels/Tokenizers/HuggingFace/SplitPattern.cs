using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>
/// A regular expression of a tokenizer.json. They are written for Oniguruma, which sees code points; .NET sees UTF-16. So each character beyond
/// U+FFFF is shown to the expression as one below, of the same category.
/// </summary>
internal sealed class SplitPattern
{
    // Read alike by both, once '^' and '$' stand for lines. '\w' and '\b' are not among them: they differ in what a word is.
    private const string KnownEscapes = "rntfvsSdDpP";
    private static readonly string[] KnownGroups = ["(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!"];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2); // for one match

    private readonly Regex regex;

    public SplitPattern(string pattern)
    {
        CheckKnown(pattern);
        try
        {
            regex = new(pattern, RegexOptions.CultureInvariant | RegexOptions.Multiline | RegexOptions.Compiled, Limit);
        }
        catch (RegexParseException exception)
        {
            throw NotKnown(pattern, exception.Message);
        }
    }

    /// <summary>Where the expression matches: start and end. Empty matches are left out.</summary>
    /// <exception cref="TokenizerException">A match takes too long.</exception>
    public List<(int Start, int End)> Matches(string text)
    {
        var (shown, places) = Show(text);
        var result = new List<(int Start, int End)>();
        try
        {
            foreach (var match in regex.EnumerateMatches(shown))
            {
                if (match.Length > 0)
                {
                    int end = match.Index + match.Length;
                    result.Add(places is null ? (match.Index, end) : (places[match.Index], places[end]));
                }
            }
        }
        catch (RegexMatchTimeoutException)
        {
            throw new TokenizerException($"the regular expression {Quote.Name(regex.ToString())} takes more than {Limit.TotalSeconds} s for one match");
        }

        return result;
    }

    private static (string Shown, int[]? Places) Show(string text)
    {
        if (!text.Any(char.IsSurrogate))
        {
            return (text, null);
        }

        var shown = new StringBuilder(text.Length);
        var places = new List<int>(text.Length + 1);
        int place = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            shown.Append(rune.IsBmp ? (char)rune.Value : StandIn(Rune.GetUnicodeCategory(rune)));
            places.Add(place);
            place += rune.Utf16SequenceLength;
        }

        places.Add(place);
        return (shown.ToString(), [.. places]);
    }

    // Rare characters, so that no expression names them.
    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\uA640',
        UnicodeCategory.LowercaseLetter => '\uA641',
        UnicodeCategory.ModifierLetter => '\uA67F',
        UnicodeCategory.OtherLetter => '\uA66E',
        UnicodeCategory.NonSpacingMark => '\uA66F',
        UnicodeCategory.SpacingCombiningMark => '\uA823',
        UnicodeCategory.EnclosingMark => '\uA670',
        UnicodeCategory.DecimalDigitNumber => '\uA620',
        UnicodeCategory.LetterNumber => '\uA6E6',
        UnicodeCategory.OtherNumber => '\uA830',
        UnicodeCategory.DashPunctuation => '\u2E3A',
        UnicodeCategory.OtherPunctuation => '\uA673',
        UnicodeCategory.MathSymbol => '\u2A00',
        UnicodeCategory.CurrencySymbol => '\uA838',
        UnicodeCategory.ModifierSymbol => '\uA700',
        UnicodeCategory.OtherSymbol => '\uA490',
        UnicodeCategory.Format => '\uFFF9',
        UnicodeCategory.PrivateUse => '\uE000',
        _ => '\uFDD0', // unassigned
    };

    private static void CheckKnown(string pattern)
    {
        bool inClass = false;
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            char next = i + 1 < pattern.Length ? pattern[i + 1] : '\0';
            if (char.IsSurrogate(c))
            {
                throw NotKnown(pattern, "it names a character beyond U+FFFF");
            }

            if (c == '\\')
            {
                bool known = !char.IsAsciiLetterOrDigit(next) || KnownEscapes.Contains(next, StringComparison.Ordinal);
                i = known ? i + 1 : throw NotKnown(pattern, $"it holds '\\{next}'");
            }
            else if (inClass)
            {
                inClass = c != ']';
                if (c == '[' || (c == '&' && next == '&'))
                {
                    throw NotKnown(pattern, "it holds a class within a class");
                }
            }
            else if (c == '[')
            {
                inClass = true;
                i += next == '^' ? 1 : 0;
            }
            else if (c == '(' && next == '?' && !Array.Exists(KnownGroups, group => pattern.AsSpan(i).StartsWith(group)))
            {
                throw NotKnown(pattern, $"it holds a group that is none of {string.Join(" ", KnownGroups)}");
            }
        }
    }

    private static TokenizerException NotKnown(string pattern, string why) =>
        JsonPart.Unsupported($"the regular expression {Quote.Name(pattern)} is not known here: {why}");
}
