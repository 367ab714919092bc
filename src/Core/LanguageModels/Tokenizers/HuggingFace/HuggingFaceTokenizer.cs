using System.Text;
using Compress.Core.Diagnostics;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>
/// A tokenizer from a tokenizer.json, with the ids of Hugging Face's library: added tokens are cut out; the rest is normalized, cut into words,
/// and each word encoded. What concerns batches and pairs of texts (<c>truncation</c>, <c>padding</c>, <c>post_processor</c>) has no part in it.
/// </summary>
internal sealed class HuggingFaceTokenizer : ITokenizer
{
    private readonly string path;
    private readonly BpeModel model;
    private readonly Func<string, string> normalize;
    private readonly Func<Fragment, IEnumerable<Fragment>> preTokenize;
    private readonly Func<List<string>, List<string>> decode;
    private readonly AddedTokens first; // as the text stands
    private readonly AddedTokens second; // in the normalized text
    private readonly Dictionary<int, string> texts;
    private readonly HashSet<int> special;

    /// <param name="path">The file's, for messages.</param>
    /// <param name="file">Its content.</param>
    /// <param name="tokens">What begins and ends a text.</param>
    /// <param name="digest">Of all files.</param>
    /// <exception cref="TokenizerException">It is malformed or asks for something that is not known.</exception>
    public HuggingFaceTokenizer(string path, JsonPart file, SpecialTokens tokens, string digest)
    {
        this.path = path;
        Digest = digest;
        file.Only("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        normalize = Normalizers.Read(file["normalizer"]);
        preTokenize = PreTokenizers.Read(file["pre_tokenizer"]);
        decode = Decoders.Read(file["decoder"]);
        model = new(file["model"]);

        AddedToken[] added = file["added_tokens"].IsNull ? [] : [.. file["added_tokens"].Items().Select(AddedToken.Read)];
        first = new(added.Where(token => !token.Normalized).Select(token => (token.Content, token)));
        second = new(added.Where(token => token.Normalized).Select(token => (normalize(token.Content), token)));
        special = [.. added.Where(token => token.Special).Select(token => token.Id)];
        texts = model.Ids.ToDictionary(pair => pair.Value, pair => pair.Key);
        foreach (var token in added)
        {
            texts[token.Id] = token.Content;
        }

        VocabularySize = texts.Count == 0 ? 0 : texts.Keys.Max() + 1;
        BosId = tokens.Bos?.Id(Lookup);
        EosId = tokens.Eos?.Id(Lookup);

        int? Lookup(string content) =>
            Array.Find(added, token => token.Content == content)?.Id ?? (model.Ids.TryGetValue(content, out int id) ? id : null);
    }

    public int VocabularySize { get; }

    public int? BosId { get; }

    public int? EosId { get; }

    public string Digest { get; }

    /// <exception cref="CompressException">CMPR2311: a regular expression takes for ever, or a replacement makes the text enormous.</exception>
    public int[] Encode(string text) => TokenizerFile.Guard(path, () => Encoded(text));

    public string Decode(ReadOnlySpan<int> ids)
    {
        var tokens = new List<string>(ids.Length);
        foreach (int id in ids)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize);
            if (!special.Contains(id) && texts.TryGetValue(id, out string? text))
            {
                tokens.Add(text);
            }
        }

        return TokenizerFile.Guard(path, () => string.Concat(decode(tokens)));
    }

    private int[] Encoded(string text)
    {
        var ids = new List<int>(text.Length / 3);
        var word = model.NewWord();
        bool atStart = true;
        foreach (var (plain, token) in first.Split(Scalar(text)))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
            }
            else
            {
                EncodePlain(plain, atStart, word, ids);
            }

            atStart = false;
        }

        return [.. ids];
    }

    private void EncodePlain(string text, bool atStart, BytePairWord word, List<int> ids)
    {
        foreach (var (normal, token) in second.Split(normalize(text)))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
            }
            else
            {
                foreach (var fragment in preTokenize(new(normal, atStart)))
                {
                    model.Encode(fragment.Text, word, ids);
                }
            }

            atStart = false;
        }
    }

    // U+FFFD for lone surrogates.
    private static string Scalar(string text) => text.Any(char.IsSurrogate) ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) : text;
}
