using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ConsumerApp;

/// <summary>
/// SentencePiece's byte-pair encoding, from a Hugging Face tokenizer.json. A word's first letter carries a '▁' that stands for the space
/// before it; characters that are no piece become their UTF-8 bytes, pieces &lt;0x00&gt; to &lt;0xFF&gt;.
/// </summary>
internal sealed class Tokenizer
{
    public const int Bos = 1; // begins each story
    public const int Eos = 2;
    private const int FirstByte = 3;

    private readonly string[] pieces; // [vocabulary]
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly Decoder utf8 = Encoding.UTF8.GetDecoder();
    private bool atStart = true;

    public Tokenizer(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var piece in json.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject())
        {
            ids.Add(piece.Name, piece.Value.GetInt32());
        }

        pieces = [.. ids.OrderBy(piece => piece.Value).Select(piece => piece.Key)];
    }

    /// <summary>The tokens of a text, BOS first.</summary>
    public List<int> Encode(string text)
    {
        var tokens = new List<int>();
        foreach (var rune in (text.Length == 0 ? "" : "▁" + text.Replace(' ', '▁')).EnumerateRunes())
        {
            if (ids.TryGetValue(rune.ToString(), out int id))
            {
                tokens.Add(id);
            }
            else
            {
                tokens.AddRange(Encoding.UTF8.GetBytes(rune.ToString()).Select(value => FirstByte + value));
            }
        }

        // Pieces are numbered in the order in which training merged them: the lowest number goes first, the leftmost of equal ones.
        while (true)
        {
            var (best, at) = (int.MaxValue, -1);
            for (int i = 0; i + 1 < tokens.Count; i++)
            {
                if (ids.TryGetValue(pieces[tokens[i]] + pieces[tokens[i + 1]], out int merged) && merged < best)
                {
                    (best, at) = (merged, i);
                }
            }

            if (at < 0)
            {
                return [Bos, .. tokens];
            }

            tokens[at] = best;
            tokens.RemoveAt(at + 1);
        }
    }

    /// <summary>The text that a story's next token adds: none yet for the first bytes of a character, or for BOS.</summary>
    public string Decode(int token)
    {
        if (token is Bos or Eos)
        {
            atStart = true;
            return "";
        }

        string piece = pieces[token].Replace('▁', ' ');
        byte[] bytes = token is >= FirstByte and < FirstByte + 256
            ? [byte.Parse(piece.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)]
            : Encoding.UTF8.GetBytes(piece);
        char[] chars = new char[utf8.GetCharCount(bytes, flush: false)];
        utf8.GetChars(bytes, chars, flush: false);
        string text = new(chars);
        if (atStart && text.StartsWith(' '))
        {
            text = text[1..]; // every text begins with a '▁' that nobody wrote
        }

        atStart = false;
        return text;
    }
}
