using System.Buffers;
using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>SentencePiece's normalization, step for step as in its normalizer.cc: rules for characters, then the care of spaces.</summary>
/// <param name="settings">What the model says.</param>
/// <param name="whitespaceAsSuffix">True if a word's space stands behind it.</param>
/// <param name="literals">User-defined symbols, which stay as they are.</param>
internal sealed class TextNormalizer(NormalizerSettings settings, bool whitespaceAsSuffix, PieceTrie literals)
{
    private readonly CharacterMap? map = settings.CharacterMap.Length == 0 ? null : CharacterMap.Read(settings.CharacterMap);

    private static ReadOnlySpan<byte> SpaceSymbol => "\u2581"u8;

    private ReadOnlySpan<byte> Space => settings.EscapeWhitespaces ? SpaceSymbol : " "u8;

    /// <summary>The normalized text, in UTF-8.</summary>
    public ReadOnlySpan<byte> Normalize(string text)
    {
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text); // writes U+FFFD for lone surrogates
        var result = new ByteBuffer(rest.Length + (rest.Length / 2) + 8);
        if (settings.RemoveExtraWhitespaces)
        {
            int used;
            while (!rest.IsEmpty && Prefix(rest, out used).SequenceEqual(" "u8))
            {
                rest = rest[used..];
            }
        }

        if (rest.IsEmpty)
        {
            return default;
        }

        if (settings.AddDummyPrefix && !whitespaceAsSuffix)
        {
            result.Add(Space);
        }

        bool afterSpace = settings.RemoveExtraWhitespaces;
        while (!rest.IsEmpty)
        {
            var part = Prefix(rest, out int used);
            rest = rest[used..];
            if (afterSpace)
            {
                part = part.TrimStart((byte)' ');
            }

            if (part.IsEmpty)
            {
                continue;
            }

            foreach (byte value in part)
            {
                if (value == ' ')
                {
                    result.Add(Space);
                }
                else
                {
                    result.Add(value);
                }
            }

            afterSpace = settings.RemoveExtraWhitespaces && part[^1] == ' ';
        }

        while (settings.RemoveExtraWhitespaces && result.Written.EndsWith(Space))
        {
            result.Length -= Space.Length;
        }

        if (settings.AddDummyPrefix && whitespaceAsSuffix)
        {
            result.Add(Space);
        }

        return result.Written;
    }

    // What stands for the first character or for those that a rule takes together. The text is valid UTF-8.
    private ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> text, out int used)
    {
        used = literals.LongestStart(text, out _);
        if (used == 0 && map is not null)
        {
            used = map.Match(text, out var replacement);
            if (used > 0)
            {
                return replacement;
            }
        }

        if (used > 0)
        {
            return text[..used];
        }

        // A malformed map may end a rule within a character.
        bool whole = Rune.DecodeFromUtf8(text, out _, out used) == OperationStatus.Done;
        used = whole ? used : 1;
        return whole ? text[..used] : "\ufffd"u8;
    }
}
