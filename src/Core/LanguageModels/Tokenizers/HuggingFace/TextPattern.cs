using System.Text;
using Compress.Runtime.Safetensors;

namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>What normalizers, pre-tokenizers and decoders look for: <c>{"String": "x"}</c> or <c>{"Regex": "x"}</c>.</summary>
internal sealed class TextPattern
{
    // Without a limit, a malicious file makes any text enormous.
    private const long LongestResult = 1 << 28;

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
    /// <exception cref="TokenizerException">It gets too long.</exception>
    public string Replace(string text, string by)
    {
        var matches = Matches(text);
        if (matches.Count == 0)
        {
            return text;
        }

        if (text.Length + ((long)matches.Count * by.Length) > LongestResult)
        {
            throw new TokenizerException($"replacing by {Quote.Name(by)} makes a text of more than {LongestResult} characters");
        }

        var result = new StringBuilder(text.Length + (matches.Count * by.Length));
        int end = 0;
        foreach (var (start, next) in matches)
        {
            result.Append(text, end, start - end).Append(by);
            end = next;
        }

        return result.Append(text, end, text.Length - end).ToString();
    }
}
