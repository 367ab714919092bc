using System.Text;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>The model of a tokenizer.json of type BPE: a vocabulary, and merges, the first of which go first.</summary>
internal sealed class BpeModel
{
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<int, int> characters = []; // code point → id
    private readonly int[]? byteIds; // [256], -1 where there is none
    private readonly int? unknownId;
    private readonly bool fusesUnknown;
    private readonly bool ignoresMerges; // for words that are tokens
    private readonly BytePairMerges merges;

    /// <exception cref="TokenizerException">It is malformed or not known.</exception>
    public BpeModel(JsonPart part)
    {
        if (part["type"].TextOrNull() is not (null or "BPE"))
        {
            throw JsonPart.Unsupported(
                $"model is of type {Quote.Name(part.Type)}; known is 'BPE'; if the model has a SentencePiece tokenizer.model, put it beside this file");
        }

        part.Only("vocab", "merges", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges");
        ids = ReadVocabulary(part["vocab"]);
        unknownId = part["unk_token"].TextOrNull() is { Length: > 0 } unknown
            ? ids.TryGetValue(unknown, out int id) ? id : throw part["unk_token"].Wrong("a token of the vocabulary") : null;
        fusesUnknown = part["fuse_unk"].Bool(false);
        ignoresMerges = part["ignore_merges"].Bool(false);
        byteIds = part["byte_fallback"].Bool(false)
            ? [.. Enumerable.Range(0, 256).Select(value => ids.GetValueOrDefault($"<0x{value:X2}>", -1))] : null;
        foreach (var (text, token) in ids)
        {
            if (text.Length > 0 && Rune.TryGetRuneAt(text, 0, out var rune) && rune.Utf16SequenceLength == text.Length)
            {
                characters.Add(rune.Value, token);
            }
        }

        merges = ReadMerges(part["merges"]);
    }

    /// <summary>Tokens and their ids.</summary>
    public IReadOnlyDictionary<string, int> Ids => ids;

    /// <summary>Appends a word's ids.</summary>
    /// <param name="text">The word.</param>
    /// <param name="word">To work in; empty before and after.</param>
    /// <param name="result">Receives the ids.</param>
    public void Encode(string text, BytePairWord word, List<int> result)
    {
        if (ignoresMerges && ids.TryGetValue(text, out int whole))
        {
            result.Add(whole);
            return;
        }

        Span<byte> utf8 = stackalloc byte[4];
        bool afterUnknown = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (characters.TryGetValue(rune.Value, out int id))
            {
                Add(id, word, result);
                afterUnknown = false;
                continue;
            }

            var bytes = utf8[..rune.EncodeToUtf8(utf8)];
            if (HasAll(bytes))
            {
                foreach (byte value in bytes)
                {
                    Add(byteIds![value], word, result);
                }
            }
            else if (unknownId is { } unknown && !(afterUnknown && fusesUnknown))
            {
                Add(unknown, word, result);
                afterUnknown = true;
            }
        }

        Write(word, result);
    }

    /// <summary>A place to work in, for one thread.</summary>
    public BytePairWord NewWord() => new(merges);

    private static void Add(int id, BytePairWord word, List<int> result)
    {
        if (!word.IsEmpty && !word.Continues(id))
        {
            Write(word, result);
        }

        word.Add(id, 0);
    }

    private static void Write(BytePairWord word, List<int> result)
    {
        word.Merge();
        while (word.Next(out int id, out _))
        {
            result.Add(id);
        }
    }

    private bool HasAll(ReadOnlySpan<byte> bytes)
    {
        bool all = byteIds is not null;
        foreach (byte value in bytes)
        {
            all = all && byteIds![value] >= 0;
        }

        return all;
    }

    private static Dictionary<string, int> ReadVocabulary(JsonPart part)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var taken = new HashSet<int>();
        foreach (var (token, value) in part.Properties())
        {
            if (!ids.TryAdd(token, value.Id()))
            {
                throw new TokenizerException($"{part.Path} has the token {Quote.Name(token)} twice");
            }

            if (!taken.Add(value.Id()))
            {
                throw new TokenizerException($"{part.Path} has the id {value.Id()} twice");
            }
        }

        return ids;
    }

    private BytePairMerges ReadMerges(JsonPart part)
    {
        var found = new List<Merge>();
        var texts = new Dictionary<int, string>(); // of what is merged
        bool plain = true; // only characters are merged, and all of them have ids
        var special = new HashSet<int>(byteIds ?? []);
        foreach (var item in part.Items())
        {
            var (left, right) = ReadPair(item);
            var merge = new Merge(IdOf(left, item), IdOf(right, item), IdOf(left + right, item), found.Count);
            found.Add(merge);
            texts[merge.Result] = left + right;
            plain &= !special.Contains(merge.Left) && !special.Contains(merge.Right) && merge.Left != unknownId && merge.Right != unknownId;
        }

        plain &= texts.Values.All(text => text.EnumerateRunes().All(rune => characters.ContainsKey(rune.Value)));
        return new(found, plain ? id => [.. texts[id].EnumerateRunes().Select(rune => characters[rune.Value])] : null);
    }

    // "a b", and in newer files ["a", "b"], where tokens may hold spaces.
    private static (string Left, string Right) ReadPair(JsonPart item)
    {
        string[] pair = item.IsList ? [.. item.Items().Select(side => side.Text())] : item.Text().Split(' ');
        return pair.Length == 2 ? (pair[0], pair[1]) : throw item.Wrong("two tokens");
    }

    private int IdOf(string token, JsonPart place) =>
        ids.TryGetValue(token, out int id) ? id : throw new TokenizerException($"{place.Path}: {Quote.Name(token)} is no token of the vocabulary");
}
