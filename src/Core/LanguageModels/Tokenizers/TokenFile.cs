using System.Text;
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
        return [.. Ids(() => new MemoryStream(TokenizerFile.ReadBytes(path, What)), path, vocabularySize)];
    }

    /// <summary>The same of a file of any size, in bounded memory: the ids as they are read.</summary>
    /// <inheritdoc cref="Read"/>
    public static IEnumerable<int> Stream(string path, int vocabularySize)
    {
        path = Path.GetFullPath(path);
        return Ids(() => File.OpenRead(path), path, vocabularySize);
    }

    private const string What = "file of token ids";

    private static IEnumerable<int> Ids(Func<Stream> open, string path, int vocabularySize)
    {
        using var scanner = new Scanner(open, path, vocabularySize);
        bool array = scanner.Take('['), first = true;
        while (array ? !scanner.Take(']') : !scanner.AtEnd)
        {
            if (array && !first)
            {
                scanner.Expect(',');
            }

            first = false;
            yield return scanner.Id();
        }

        scanner.ExpectEnd();
    }

    private sealed class Scanner : IDisposable
    {
        private const int End = -1, BufferBytes = 1 << 16, MostDigits = 20;

        private readonly string path;
        private readonly int vocabularySize;
        private readonly Stream stream;
        private readonly byte[] buffer = new byte[BufferBytes];
        private readonly StringBuilder digits = new(MostDigits); // of an id, for messages
        private int at, filled, line = 1, column = 1;

        public Scanner(Func<Stream> open, string path, int vocabularySize)
        {
            (this.path, this.vocabularySize) = (path, vocabularySize);
            stream = Guard(open);
            if (Next == 0xEF)
            {
                SkipMark();
            }
        }

        public void Dispose() => stream.Dispose();

        /// <summary>True if only white space is left.</summary>
        public bool AtEnd
        {
            get
            {
                SkipSpace();
                return Next == End;
            }
        }

        // The byte that is read next, or End.
        private int Next
        {
            get
            {
                if (at == filled)
                {
                    (at, filled) = (0, Guard(() => stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)));
                }

                return at < filled ? buffer[at] : End;
            }
        }

        public bool Take(char symbol)
        {
            bool found = !AtEnd && Next == symbol;
            if (found)
            {
                Advance();
            }

            return found;
        }

        public void Expect(char symbol)
        {
            if (!Take(symbol))
            {
                throw Error($"{Found()}; '{symbol}' is expected");
            }
        }

        public void ExpectEnd()
        {
            if (!AtEnd)
            {
                throw Error($"{Found()} behind the array; one array of token ids is expected");
            }
        }

        public int Id()
        {
            SkipSpace();
            int startLine = line, startColumn = column;
            digits.Clear();
            long id = 0;
            for (; Next is >= '0' and <= '9'; Advance())
            {
                id = Math.Min((id * 10) + Next - '0', int.MaxValue);
                if (digits.Length < MostDigits)
                {
                    digits.Append((char)Next);
                }
            }

            if (digits.Length == 0 || (Next != End && !IsSpace(Next) && Next is not (',' or ']')))
            {
                throw Error($"{Found()}; token ids are decimal numbers between white space, or one JSON array of them");
            }

            return id < vocabularySize ? (int)id : throw Error(
                $"{digits} is not in the vocabulary, whose ids are 0 to {vocabularySize - 1}; were these ids made for another model?", startLine, startColumn);
        }

        private static bool IsSpace(int value) => value is ' ' or '\t' or '\n' or '\r';

        // The mark of UTF-8 is three bytes of the first line.
        private void SkipMark()
        {
            if (buffer.AsSpan(0, filled).StartsWith("\uFEFF"u8))
            {
                (at, column) = (3, 4);
            }
        }

        private void Advance()
        {
            (line, column) = buffer[at] == '\n' ? (line + 1, 1) : (line, column + 1);
            at++;
        }

        private void SkipSpace()
        {
            while (IsSpace(Next))
            {
                Advance();
            }
        }

        private string Found() => Next switch
        {
            End => "the file ends here",
            > 0x20 and < 0x7F => $"here is '{(char)Next}'",
            _ => $"here is the byte 0x{Next:X2}",
        };

        private CompressException Error(string message) => Error(message, line, column);

        private CompressException Error(string message, int atLine, int atColumn) =>
            new(new Diagnostic(Codes.TokenFileMalformed, Severity.Error, message, path, atLine, atColumn));

        private T Guard<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new CompressException(Codes.TokenizerNotReadable, $"the {What} cannot be read: {exception.Message}", path, exception);
            }
        }
    }
}
