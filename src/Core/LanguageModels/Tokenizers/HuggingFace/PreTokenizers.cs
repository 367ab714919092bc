using System.Globalization;
using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>A stretch of text that is encoded by itself.</summary>
/// <param name="Text">Not empty.</param>
/// <param name="AtStart">True if the whole text starts with it.</param>
internal readonly record struct Fragment(string Text, bool AtStart);

/// <summary>The pre-tokenizers of a tokenizer.json: one stretch of text → several, which no token crosses.</summary>
internal static class PreTokenizers
{
    // ByteLevel's own, that of GPT-2's encoder.py.
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <exception cref="TokenizerException">It is malformed or not known.</exception>
    public static Func<Fragment, IEnumerable<Fragment>> Read(JsonPart part)
    {
        if (part.IsNull)
        {
            return fragment => [fragment];
        }

        switch (part.Type)
        {
            case "Sequence":
                var all = part.Only("pretokenizers")["pretokenizers"].Items().Select(Read).ToArray();
                return fragment => all.Aggregate<Func<Fragment, IEnumerable<Fragment>>, IEnumerable<Fragment>>(
                    [fragment], (fragments, next) => fragments.SelectMany(next));
            case "Split":
                part.Only("pattern", "behavior", "invert");
                var pattern = new TextPattern(part["pattern"]);
                var behavior = Enum.TryParse(part["behavior"].Text(), out SplitBehavior named) && Enum.IsDefined(named) ? named
                    : throw part["behavior"].Wrong(string.Join(", ", Enum.GetNames<SplitBehavior>()));
                bool invert = part["invert"].Bool(false);
                return fragment => Cut(fragment, Splitting.Split(fragment.Text, pattern.Matches(fragment.Text), behavior, invert));
            case "ByteLevel":
                return ByteLevel(part.Only("add_prefix_space", "trim_offsets", "use_regex"));
            case "Metaspace":
                return Metaspace(part.Only("replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"));
            case "Digits":
                var digits = part.Only("individual_digits")["individual_digits"].Bool(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous;
                return fragment => Cut(fragment, Splitting.Split(fragment.Text, Numerals(fragment.Text), digits, false));
            default:
                throw part.UnknownType("Sequence", "Split", "ByteLevel", "Metaspace", "Digits");
        }
    }

    private static Func<Fragment, IEnumerable<Fragment>> ByteLevel(JsonPart part)
    {
        bool addPrefixSpace = part["add_prefix_space"].Bool(true);
        var regex = part["use_regex"].Bool(true) ? new SplitPattern(Gpt2) : null;
        return fragment =>
        {
            string text = addPrefixSpace && fragment.Text[0] != ' ' ? " " + fragment.Text : fragment.Text;
            var whole = new Fragment(text, fragment.AtStart);
            var parts = regex is null ? [whole] : Cut(whole, Splitting.Split(text, regex.Matches(text), SplitBehavior.Isolated, false));
            return parts.Select(word => word with { Text = InBytes(word.Text) });
        };
    }

    private static string InBytes(string text)
    {
        Span<byte> few = stackalloc byte[256];
        int count = Encoding.UTF8.GetByteCount(text);
        var bytes = count <= few.Length ? few[..count] : new byte[count];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, (characters, values) =>
        {
            for (int i = 0; i < characters.Length; i++)
            {
                characters[i] = ByteAlphabet.CharacterOf(values[i]);
            }
        });
    }

    private static Func<Fragment, IEnumerable<Fragment>> Metaspace(JsonPart part)
    {
        string space = part["replacement"].Text() is { Length: 1 } one ? one : throw part["replacement"].Wrong("one character");
        var scheme = PrependScheme(part);
        bool split = part["split"].Bool(true);
        return fragment =>
        {
            string text = fragment.Text.Replace(" ", space, StringComparison.Ordinal);
            bool prepends = scheme == "always" || (scheme == "first" && fragment.AtStart);
            text = prepends && text[0] != space[0] ? space + text : text;
            var whole = new Fragment(text, fragment.AtStart);
            return split ? Cut(whole, Splitting.Split(text, Positions(text, space[0]), SplitBehavior.MergedWithNext, false)) : [whole];
        };
    }

    /// <summary>Where Metaspace puts a space in front: <c>always</c>, <c>first</c> or <c>never</c>. Older files have <c>add_prefix_space</c>.</summary>
    public static string PrependScheme(JsonPart metaspace)
    {
        var scheme = metaspace["prepend_scheme"];
        return scheme.IsNull ? (metaspace["add_prefix_space"].Bool(true) ? "always" : "never")
            : scheme.Text() is "always" or "first" or "never" ? scheme.Text() : throw scheme.Wrong("'always', 'first' or 'never'");
    }

    private static List<(int Start, int End)> Positions(string text, char wanted) =>
        [.. text.Index().Where(pair => pair.Item == wanted).Select(pair => (pair.Index, pair.Index + 1))];

    private static List<(int Start, int End)> Numerals(string text)
    {
        var found = new List<(int Start, int End)>();
        int at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber)
            {
                found.Add((at, at + rune.Utf16SequenceLength));
            }

            at += rune.Utf16SequenceLength;
        }

        return found;
    }

    private static IEnumerable<Fragment> Cut(Fragment fragment, List<(int Start, int End)> parts) =>
        parts.Select(part => new Fragment(fragment.Text[part.Start..part.End], fragment.AtStart && part.Start == 0));
}
