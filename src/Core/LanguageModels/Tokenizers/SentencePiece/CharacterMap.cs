using System.Buffers.Binary;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>
/// A model's precompiled rules of normalization: the length of a double array in bytes, the double array (a trie over UTF-8, in the layout of
/// darts-clone), then the replacements, each ended by a zero byte.
/// </summary>
internal sealed class CharacterMap
{
    // In bytes; Unicode's longest is U+FDFA's replacement, of 33. Without limits, a malicious map makes any text enormous, or takes for ever.
    private const int LongestReplacement = 256;
    private const int LongestRule = 256;

    private readonly uint[] units;
    private readonly byte[] replacements;

    private CharacterMap(uint[] units, byte[] replacements)
    {
        this.units = units;
        this.replacements = replacements;
    }

    public static CharacterMap Read(ReadOnlySpan<byte> data)
    {
        uint length = data.Length < 4 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(data);
        if (length > data.Length - 4 || length == 0 || length % 4 != 0)
        {
            throw new TokenizerException($"the precompiled character map of {data.Length} bytes is malformed: it names a trie of {length} bytes");
        }

        uint[] units = new uint[length / 4];
        for (int i = 0; i < units.Length; i++)
        {
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(data[(4 + (4 * i))..]);
        }

        byte[] replacements = data[(4 + (int)length)..].ToArray();
        foreach (var range in replacements.AsSpan().Split((byte)0))
        {
            if (replacements.AsSpan(range).Length > LongestReplacement)
            {
                throw new TokenizerException(
                    $"the precompiled character map replaces a character by {replacements.AsSpan(range).Length} bytes; the limit is {LongestReplacement}");
            }
        }

        return new(units, replacements);
    }

    /// <summary>Finds the rule for the longest start of the text.</summary>
    /// <param name="text">UTF-8.</param>
    /// <param name="replacement">What stands for that start.</param>
    /// <returns>The length of that start, 0 if there is no rule.</returns>
    public int Match(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        int longest = 0;
        uint value = 0;
        uint node = Offset(units[0]);
        for (int i = 0; i < Math.Min(text.Length, LongestRule); i++)
        {
            node ^= text[i];
            if (node >= units.Length || (units[node] & 0x8000_00FF) != text[i])
            {
                break;
            }

            uint unit = units[node];
            node ^= Offset(unit);
            if ((unit & 0x100) != 0 && node < units.Length)
            {
                longest = i + 1;
                value = units[node] & 0x7FFF_FFFF;
            }
        }

        replacement = value < replacements.Length ? replacements.AsSpan((int)value) : default;
        int end = replacement.IndexOf((byte)0);
        replacement = end < 0 ? replacement : replacement[..end];
        return longest;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}
