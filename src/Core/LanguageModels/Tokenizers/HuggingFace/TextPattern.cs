namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>What normalizers, pre-tokenizers and decoders look for: <c>{"String": "x"}</c> or <c>{"Regex": "x"}</c>.</summary>
internal sealed class TextPattern
{
    private readonly string? literal;
    private readonly SplitPattern? regex;

    public TextPattern(JsonPart part)
    {
        part.Only("String", "Regex");
        if (part["String"].TextOrNull() is { } text)
        {
            literal = text.Length > 0 ? text : throw part["String"].Wrong("a text that is not empty");
        }
        else
        {
            regex = new(part["Regex"].Text());
        }
    }

    /// <summary>Start and end of each place where it is found, none empty.</summary>
    public List<(int Start, int End)> Matches(string text)
    {
        if (literal is null)
        {
            return regex!.Matches(text);
        }

        var found = new List<(int Start, int End)>();
        for (int at; (at = text.IndexOf(literal, found.Count == 0 ? 0 : found[^1].End, StringComparison.Ordinal)) >= 0;)
        {
            found.Add((at, at + literal.Length));
        }

        return found;
    }

    /// <summary>The text with something else in these places.</summary>
    public string Replace(string text, string by)
    {
        if (literal is not null)
        {
            return text.Replace(literal, by, StringComparison.Ordinal);
        }

        var result = new System.Text.StringBuilder();
        int end = 0;
        foreach (var (start, next) in Matches(text))
        {
            result.Append(text, end, start - end).Append(by);
            end = next;
        }

        return result.Append(text, end, text.Length - end).ToString();
    }
}
