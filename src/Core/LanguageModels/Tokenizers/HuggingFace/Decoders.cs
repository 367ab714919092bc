using System.Text;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>The decoders of a tokenizer.json: texts of tokens → texts, which together are the decoded text.</summary>
internal static class Decoders
{
    /// <exception cref="TokenizerException">It is malformed or not known.</exception>
    public static Func<List<string>, List<string>> Read(JsonPart part)
    {
        if (part.IsNull)
        {
            return tokens => [string.Join(' ', tokens)];
        }

        switch (part.Type)
        {
            case "Sequence":
                var all = part.Only("decoders")["decoders"].Items().Select(Read).ToArray();
                return tokens => all.Aggregate(tokens, (current, next) => next(current));
            case "ByteLevel":
                part.Only("add_prefix_space", "trim_offsets", "use_regex");
                return tokens => [FromBytes(tokens)];
            case "ByteFallback":
                part.Only();
                return FromByteTokens;
            case "Fuse":
                part.Only();
                return tokens => [string.Concat(tokens)];
            case "Replace":
                var pattern = new TextPattern(part.Only("pattern", "content")["pattern"]);
                string content = part["content"].Text();
                return tokens => [.. tokens.Select(token => pattern.Replace(token, content))];
            case "Strip":
                string stripped = part.Only("content", "start", "stop")["content"].Text() is { Length: 1 } one ? one : throw part["content"].Wrong("one character");
                var (start, stop) = (part["start"].Int(), part["stop"].Int());
                return tokens => [.. tokens.Select(token => Strip(token, stripped[0], start, stop))];
            case "Metaspace":
                part.Only("replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep");
                string space = part["replacement"].Text() is { Length: 1 } symbol ? symbol : throw part["replacement"].Wrong("one character");
                bool drops = PreTokenizers.PrependScheme(part) != "never";
                return tokens => [.. tokens.Select((token, i) =>
                    (drops && i == 0 ? token.Replace(space, "", StringComparison.Ordinal) : token.Replace(space, " ", StringComparison.Ordinal)))];
            default:
                throw part.UnknownType("Sequence", "ByteLevel", "ByteFallback", "Fuse", "Replace", "Strip", "Metaspace");
        }
    }

    private static string FromBytes(List<string> tokens)
    {
        var bytes = new ByteBuffer(64);
        foreach (string token in tokens)
        {
            int before = bytes.Length;
            foreach (char character in token)
            {
                if (!ByteAlphabet.TryGetByte(character, out byte value))
                {
                    bytes.Length = before;
                    bytes.Add(Encoding.UTF8.GetBytes(token)); // such as an added token, which is in no alphabet
                    break;
                }

                bytes.Add(value);
            }
        }

        return Encoding.UTF8.GetString(bytes.Written);
    }

    private static List<string> FromByteTokens(List<string> tokens)
    {
        var result = new List<string>();
        var bytes = new ByteBuffer(16);
        foreach (string token in tokens)
        {
            if (SentencePiece.Vocabulary.ByteOf(token) is { } value)
            {
                bytes.Add((byte)value);
                continue;
            }

            Flush();
            result.Add(token);
        }

        Flush();
        return result;

        // One bad byte spoils the whole run.
        void Flush()
        {
            var run = bytes.Written;
            result.Add(System.Text.Unicode.Utf8.IsValid(run) ? Encoding.UTF8.GetString(run) : new('\ufffd', run.Length));
            bytes.Length = 0;
        }
    }

    private static string Strip(string text, char stripped, int start, int stop)
    {
        int from = 0;
        while (from < start && from < text.Length && text[from] == stripped)
        {
            from++;
        }

        int to = text.Length;
        while (text.Length - to < stop && to > from && text[to - 1] == stripped)
        {
            to--;
        }

        return text[from..to];
    }
}
