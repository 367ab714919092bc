namespace Compress.Core.Recipes.Yaml;

/// <summary>A node of a YAML document that knows its place.</summary>
internal abstract record YamlNode(Position Position)
{
    /// <summary>The node as a message names it: <c>12</c>, <c>the text "4"</c>, <c>a list</c>.</summary>
    public abstract string Found { get; }
}

/// <summary>A scalar. Quoted (and block) scalars are texts; what plain ones are, their characters say (<see cref="YamlScalars"/>).</summary>
internal sealed record YamlScalar(string Text, bool Quoted, Position Position) : YamlNode(Position)
{
    private const int MaxExcerpt = 60;

    public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";

    public override string Found =>
        IsNull ? "no value" : Quoted ? $"the text \"{Excerpt(Text)}\"" : YamlScalars.IsNumberOrBool(Text) ? Excerpt(Text) : $"'{Excerpt(Text)}'";

    /// <summary>A text for messages: not too long, without control characters.</summary>
    public static string Excerpt(string text)
    {
        int length = Math.Min(text.Length, MaxExcerpt);
        // Not through the middle of a surrogate pair.
        length -= length < text.Length && char.IsHighSurrogate(text[length - 1]) ? 1 : 0;
        string start = string.Concat(text.Take(length).Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? '\uFFFD' : c));
        return length < text.Length ? start + "…" : start;
    }
}

/// <summary>A list.</summary>
internal sealed record YamlList(IReadOnlyList<YamlNode> Items, Position Position) : YamlNode(Position)
{
    public override string Found => "a list";
}

/// <summary>Keys and values, in the order of the file; keys are unique.</summary>
internal sealed record YamlMap(IReadOnlyList<YamlEntry> Entries, Position Position) : YamlNode(Position)
{
    public override string Found => Entries is [var first, ..] ? $"the key '{YamlScalar.Excerpt(first.Key)}'" : "{}";

    public YamlEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

/// <summary>A key and its value.</summary>
internal sealed record YamlEntry(string Key, Position Position, YamlNode Value);

/// <summary>A node whose mistake has been reported: nothing more is said of it.</summary>
internal sealed record YamlUnusable(Position Position) : YamlNode(Position)
{
    public override string Found => "an unusable value";
}
