namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>
/// One printable character for each byte, as GPT-2 has it (bytes_to_unicode in its encoder.py): printable bytes stand for themselves, the
/// others for U+0100 and on. So a byte-level vocabulary is a list of ordinary texts.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Make();
    private static readonly Dictionary<char, byte> Bytes = Characters.Index().ToDictionary(pair => pair.Item, pair => (byte)pair.Index);

    public static char CharacterOf(byte value) => Characters[value];

    public static bool TryGetByte(char character, out byte value) => Bytes.TryGetValue(character, out value);

    private static char[] Make()
    {
        char[] characters = new char[256];
        int others = 0;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (> 0x20 and < 0x7F) or (> 0xA0 and not 0xAD);
            characters[value] = (char)(printable ? value : 256 + others++);
        }

        return characters;
    }
}
