using Compress.Core.Diagnostics;

namespace Compress.Core.LanguageModels.Tokenizers;

/// <summary>Token ids in a file, for models whose tokenizer is not at hand: decimal numbers between white space, or one JSON array of numbers.</summary>
public static class TokenFile
{
    /// <summary>Reads the ids.</summary>
    /// <param name="path">The file.</param>
    /// <param name="vocabularySize">Ids are 0..vocabularySize-1.</param>
    /// <exception cref="CompressException">
    /// CMPR2310: the file cannot be read; CMPR2314, at line and column: something is no token id, or not in the vocabulary.
    /// </exception>
    public static int[] Read(string path, int vocabularySize)
    {
        path = Path.GetFullPath(path);
        byte[] bytes = TokenizerFile.ReadBytes(path, "file of token ids");
        var ids = new List<int>();
        var scanner = new Scanner(bytes, path, vocabularySize);
        bool array = scanner.Take((byte)'[');
        while (array ? !scanner.Take((byte)']') : !scanner.AtEnd)
        {
            if (array && ids.Count > 0)
            {
                scanner.Expect((byte)',');
            }

            ids.Add(scanner.Id());
        }

        scanner.ExpectEnd();
        return [.. ids];
    }

    private ref struct Scanner(ReadOnlySpan<byte> text, string path, int vocabularySize)
    {
        private readonly ReadOnlySpan<byte> text = text;
        private int at = text.StartsWith("\uFEFF"u8) ? 3 : 0;

        /// <summary>True if only white space is left.</summary>
        public bool AtEnd
        {
            get
            {
                SkipSpace();
                return at == text.Length;
            }
        }

        public bool Take(byte symbol)
        {
            bool found = !AtEnd && text[at] == symbol;
            at += found ? 1 : 0;
            return found;
        }

        public void Expect(byte symbol)
        {
            if (!Take(symbol))
            {
                throw Error(at, $"{Found(at)}; '{(char)symbol}' is expected");
            }
        }

        public void ExpectEnd()
        {
            if (!AtEnd)
            {
                throw Error(at, $"{Found(at)} behind the array; one array of token ids is expected");
            }
        }

        public int Id()
        {
            SkipSpace();
            int start = at;
            long id = 0;
            while (at < text.Length && char.IsAsciiDigit((char)text[at]))
            {
                id = Math.Min((id * 10) + text[at++] - '0', int.MaxValue);
            }

            if (at == start || (at < text.Length && !IsSpace(text[at]) && text[at] is not ((byte)',' or (byte)']')))
            {
                throw Error(at, $"{Found(at)}; token ids are decimal numbers between white space, or one JSON array of them");
            }

            if (id >= vocabularySize)
            {
                string digits = System.Text.Encoding.ASCII.GetString(text[start..Math.Min(at, start + 20)]);
                throw Error(start, $"{digits} is not in the vocabulary, whose ids are 0 to {vocabularySize - 1}; were these ids made for another model?");
            }

            return (int)id;
        }

        private static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r';

        private void SkipSpace()
        {
            while (at < text.Length && IsSpace(text[at]))
            {
                at++;
            }
        }

        private readonly string Found(int place) =>
            place == text.Length ? "the file ends here"
            : text[place] is > 0x20 and < 0x7F ? $"here is '{(char)text[place]}'" : $"here is the byte 0x{text[place]:X2}";

        private readonly CompressException Error(int place, string message)
        {
            var before = text[..place];
            int line = before.Count((byte)'\n') + 1;
            int column = place - before.LastIndexOf((byte)'\n');
            return new(new Diagnostic(Codes.TokenFileMalformed, Severity.Error, message, path, line, column));
        }
    }
}
