using System.Text;
using Compress.Core.Diagnostics;

namespace Compress.Core.Evaluation;

/// <summary>A text of any length, read in bounded memory.</summary>
internal static class TextStream
{
    /// <summary>Characters that are held at most of a document, or of a paragraph.</summary>
    public const int PieceLength = 1 << 20;

    private const int BlockBytes = 1 << 16;

    /// <summary>
    /// A document in pieces of <see cref="PieceLength"/> characters at most: cut after the last line end that fits, where there is none before the last
    /// space, where there is none either between two characters.
    /// </summary>
    /// <exception cref="CompressException">CMPR2102: the file cannot be read, or is not UTF-8.</exception>
    public static IEnumerable<string> Pieces(string path)
    {
        var piece = new StringBuilder();
        foreach (string block in Blocks(path))
        {
            piece.Append(block);
            while (piece.Length > PieceLength)
            {
                string text = piece.ToString(0, PieceLength);
                int length = Cut(text);
                yield return text[..length];
                piece.Remove(0, length);
            }
        }

        if (piece.Length > 0)
        {
            yield return piece.ToString();
        }
    }

    /// <summary>
    /// The paragraphs of a text, as <see cref="EvaluationWindows.Paragraphs"/> gives them. Of one that is longer, the first
    /// <see cref="PieceLength"/> characters.
    /// </summary>
    /// <exception cref="CompressException">CMPR2102: the file cannot be read, or is not UTF-8.</exception>
    public static IEnumerable<string> Paragraphs(string path)
    {
        var paragraph = new StringBuilder();
        bool blank = true; // the line, up to here
        foreach (string block in Blocks(path))
        {
            foreach (char symbol in block)
            {
                if (symbol == '\n' && blank && paragraph.Length > 0)
                {
                    yield return Whole(paragraph);
                    paragraph.Clear();
                }

                bool white = char.IsWhiteSpace(symbol);
                blank = symbol == '\n' || (blank && white);
                if (paragraph.Length < PieceLength && (paragraph.Length > 0 || !white))
                {
                    paragraph.Append(symbol);
                }
            }
        }

        if (paragraph.Length > 0)
        {
            yield return Whole(paragraph);
        }
    }

    private static string Whole(StringBuilder paragraph)
    {
        string text = paragraph.ToString();
        return text[..^(char.IsHighSurrogate(text[^1]) ? 1 : 0)].TrimEnd();
    }

    private static int Cut(string text)
    {
        int line = text.LastIndexOf('\n') + 1, space = text.LastIndexOf(' ');
        return line > 0 ? line : space > 0 ? space : text.Length - (char.IsHighSurrogate(text[^1]) ? 1 : 0);
    }

    private static IEnumerable<string> Blocks(string path)
    {
        using var stream = Guard(path, 0, () => File.OpenRead(path));
        var decoder = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetDecoder();
        byte[] bytes = new byte[BlockBytes];
        char[] characters = new char[BlockBytes + 1];
        bool begins = true;
        for (long at = 0; ;)
        {
            int read = Guard(path, at, () => stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
            int count = Guard(path, at, () => decoder.GetChars(bytes, 0, read, characters, 0, flush: read < bytes.Length));
            string block = new(characters, 0, count);
            block = begins ? block.TrimStart('\uFEFF') : block;
            begins = false;
            if (block.Length > 0)
            {
                yield return block;
            }

            if (read < bytes.Length)
            {
                break;
            }

            at += read;
        }
    }

    private static T Guard<T>(string path, long at, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (DecoderFallbackException exception)
        {
            throw new CompressException(Codes.EvaluationText, $"it is not valid UTF-8 (near byte {at + exception.Index})", path, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.EvaluationText, $"the text cannot be read: {exception.Message}", path, exception);
        }
    }
}
