using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>
/// Byte-pair encoding as SentencePiece does it (bpe_model.cc): any two neighbours whose texts together are a piece may be merged, the piece of
/// the highest score first, and of equal ones the leftmost.
/// </summary>
internal sealed class BpeSegmenter : ISegmenter
{
    private const int NoSymbol = int.MinValue;

    private readonly Vocabulary vocabulary;
    private readonly PieceTrie literals;
    private readonly bool resegments; // some pieces may be merged on the way, but not stay

    // A symbol is a piece's id. Characters that are part of pieces without being one have numbers from the vocabulary's size on.
    private readonly Dictionary<int, int> characters = []; // code point → symbol
    private readonly List<int> otherCharacters = []; // their lengths in bytes
    private readonly BytePairMerges merges;

    /// <param name="vocabulary">The pieces.</param>
    /// <param name="literals">User-defined symbols, which are cut out first and never merged.</param>
    public BpeSegmenter(Vocabulary vocabulary, PieceTrie literals)
    {
        this.vocabulary = vocabulary;
        this.literals = literals;
        resegments = vocabulary.Pieces.Any(piece => piece.Type == PieceType.Unused);
        AddCharacters();
        merges = new(FindMerges(), resegments ? null : Spell);
    }

    public List<Segment> Segment(ReadOnlySpan<byte> text)
    {
        var result = new List<Segment>(text.Length / 3);
        Dictionary<int, (int Left, int Right)>? parts = resegments ? [] : null;
        var word = new BytePairWord(merges) { Candidate = parts is null ? null : (left, right, merged) => Note(parts, left, right, merged) };
        int length;
        for (int start = 0; start < text.Length; start += length)
        {
            length = literals.LongestStart(text[start..], out int literal);
            int symbol = ~literal;
            if (length == 0)
            {
                Rune.DecodeFromUtf8(text[start..], out var rune, out length);
                symbol = characters.GetValueOrDefault(rune.Value, NoSymbol);
            }

            if (!word.IsEmpty && !word.Continues(symbol))
            {
                Write(word, start, parts, result);
            }

            word.Add(symbol, start);
        }

        Write(word, text.Length, parts, result);
        return result;
    }

    private void Write(BytePairWord word, int end, Dictionary<int, (int Left, int Right)>? parts, List<Segment> result)
    {
        word.Merge();
        bool more = word.Next(out int symbol, out int start);
        while (more)
        {
            int current = symbol;
            int from = start;
            more = word.Next(out symbol, out start);
            int to = more ? start : end;
            if (parts is null)
            {
                result.Add(new(IdOf(current), from, to));
            }
            else
            {
                Resegment(current, from, to, parts, result);
            }
        }
    }

    private int IdOf(int symbol) =>
        symbol == NoSymbol || symbol >= vocabulary.Pieces.Length ? vocabulary.UnknownId : symbol >= 0 ? symbol : ~symbol;

    private int LengthOf(int symbol) =>
        symbol < vocabulary.Pieces.Length ? vocabulary.Pieces[symbol].Text.Length : otherCharacters[symbol - vocabulary.Pieces.Length];

    // A piece that may not stay falls into the two that were last thought of as making it.
    private void Resegment(int symbol, int start, int end, Dictionary<int, (int Left, int Right)> parts, List<Segment> result)
    {
        var rest = new Stack<int>([symbol]);
        while (rest.TryPop(out int part))
        {
            if (parts.TryGetValue(part, out var halves))
            {
                rest.Push(halves.Right);
                rest.Push(halves.Left);
                continue;
            }

            int to = rest.Count == 0 ? end : start + LengthOf(part);
            result.Add(new(IdOf(part), start, to));
            start = to;
        }
    }

    private void Note(Dictionary<int, (int Left, int Right)> parts, int left, int right, int merged)
    {
        if (vocabulary.Pieces[merged].Type == PieceType.Unused)
        {
            parts[merged] = (left, right);
        }
    }

    private void AddCharacters()
    {
        for (int id = 0; id < vocabulary.Pieces.Length; id++)
        {
            var text = vocabulary.Pieces[id].Text;
            if (vocabulary.IsCut(id) && Rune.DecodeFromUtf8(text, out var only, out int length) == 0 && length == text.Length)
            {
                characters[only.Value] = id;
            }
        }

        foreach (var piece in vocabulary.Pieces)
        {
            foreach (var rune in Encoding.UTF8.GetString(piece.Text).EnumerateRunes())
            {
                if (characters.TryAdd(rune.Value, vocabulary.Pieces.Length + otherCharacters.Count))
                {
                    otherCharacters.Add(rune.Utf8SequenceLength);
                }
            }
        }
    }

    private List<Merge> FindMerges()
    {
        var starts = new PieceTrie();
        var ends = new PieceTrie();
        void Add(ReadOnlySpan<byte> text, int symbol)
        {
            byte[] reversed = text.ToArray();
            Array.Reverse(reversed);
            starts.Add(text, symbol);
            ends.Add(reversed, symbol);
        }

        Span<byte> utf8 = stackalloc byte[4];
        foreach (var (character, symbol) in characters)
        {
            Add(utf8[..new Rune(character).EncodeToUtf8(utf8)], symbol);
        }

        var cut = Enumerable.Range(0, vocabulary.Pieces.Length).Where(vocabulary.IsCut).ToArray();
        foreach (int id in cut)
        {
            Add(vocabulary.Pieces[id].Text, id);
        }

        var order = Orders(cut);
        var found = new List<Merge>();
        var lefts = new Dictionary<int, int>(); // length → symbol
        foreach (int id in cut)
        {
            byte[] text = vocabulary.Pieces[id].Text;
            lefts.Clear();
            for (var walk = starts.StartsOf(text); walk.Next();)
            {
                lefts.Add(walk.Length, walk.Value);
            }

            byte[] reversed = [.. text.Reverse()];
            for (var walk = ends.StartsOf(reversed); walk.Next();)
            {
                if (lefts.TryGetValue(text.Length - walk.Length, out int left))
                {
                    found.Add(new(left, walk.Value, id, order[vocabulary.Pieces[id].Score]));
                }
            }
        }

        return found;
    }

    // The rank of each score, the highest first.
    private Dictionary<float, int> Orders(int[] cut)
    {
        float[] scores = [.. cut.Select(id => vocabulary.Pieces[id].Score).Distinct().OrderDescending()];
        return scores.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
    }

    private List<int> Spell(int id)
    {
        var symbols = new List<int>();
        foreach (var rune in Encoding.UTF8.GetString(vocabulary.Pieces[id].Text).EnumerateRunes())
        {
            symbols.Add(characters[rune.Value]);
        }

        return symbols;
    }
}
