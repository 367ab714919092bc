using Compress.Core.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Compress.Core.Recipes.Yaml;

/// <summary>
/// Reads the one YAML document of a recipe into nodes. Takes the plain part of YAML: no anchors, aliases, tags or second documents,
/// each refused by name. Depth is counted while reading, so no input overflows the stack.
/// </summary>
internal sealed class YamlReader
{
    /// <summary>The deepest nesting that is read; recipes need four levels.</summary>
    public const int MaxDepth = 32;

    private readonly Parser parser;
    private readonly RecipeErrors errors;

    private YamlReader(string text, RecipeErrors errors)
    {
        parser = new Parser(new StringReader(text));
        this.errors = errors;
    }

    private Mark LastRead => parser.Current?.End ?? Mark.Empty;

    /// <summary>The document's root; null if there is none, or after a syntax error, which is reported.</summary>
    public static YamlNode? Read(string text, RecipeErrors errors)
    {
        if (IndentingTab(text) is { } tab)
        {
            errors.Add(Codes.RecipeSyntax, tab, "a tab in the indentation; YAML is indented by spaces");
            return null;
        }

        var reader = new YamlReader(text, errors);
        try
        {
            return reader.Document();
        }
        catch (YamlException e)
        {
            reader.SyntaxError(text, e.Start, e.Message);
        }
        catch (InvalidOperationException)
        {
            // YamlDotNet 16.3 throws it for plain text in [ ] or { } that begins a line without indentation, and names no place.
            reader.SyntaxError(text, reader.LastRead, "the text after this is not indented; indent all lines inside [ ] and { }");
        }
        catch (ArgumentException)
        {
            // Likewise for tags and directives that are no URIs.
            reader.SyntaxError(text, reader.LastRead, "the text after this has a tag (!) or a directive (%) that is not well-formed; remove it");
        }

        return null;
    }

    private void SyntaxError(string text, Mark mark, string message)
    {
        // At the end of the file, the last thing written is where to look.
        int index = Math.Min(IndexOf(text, At(mark)), text.AsSpan().TrimEnd().Length);
        errors.Add(Codes.RecipeSyntax, RecipeText.PositionOf(text, index), Explain(message, index < text.Length ? text[index] : '\0'));
    }

    private YamlNode? Document()
    {
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _))
        {
            return null;
        }

        parser.Consume<DocumentStart>();
        var root = Node(0);
        parser.Consume<DocumentEnd>();
        if (parser.TryConsume<DocumentStart>(out var second))
        {
            errors.Add(Codes.RecipeSyntax, At(second.Start), "a second document begins here; a recipe is one document");
        }

        return root;
    }

    private YamlNode Node(int depth)
    {
        var start = parser.Consume<ParsingEvent>();
        if (depth > MaxDepth)
        {
            throw new SemanticErrorException(start.Start, start.End, $"nested deeper than {MaxDepth} levels");
        }

        if (start is AnchorAlias alias)
        {
            errors.Add(Codes.RecipeSyntax, At(start.Start), AliasMessage(alias.Value.Value));
            return new YamlUnusable(At(start.Start));
        }

        if (start is not NodeEvent node)
        {
            throw new SemanticErrorException(start.Start, start.End, "did not find expected value");
        }

        RefuseAnchorAndTag(node);
        return start switch
        {
            Scalar scalar => new YamlScalar(scalar.Value, scalar.Style != ScalarStyle.Plain, At(start.Start)),
            SequenceStart => List(At(start.Start), depth),
            _ => Map(At(start.Start), depth),
        };
    }

    private YamlList List(Position position, int depth)
    {
        var items = new List<YamlNode>();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Node(depth + 1));
        }

        return new(items, position);
    }

    private YamlMap Map(Position position, int depth)
    {
        var entries = new List<YamlEntry>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            var value = Node(depth + 1);
            if (key is not YamlScalar { Text: var name })
            {
                if (key is not YamlUnusable)
                {
                    errors.Add(Codes.RecipeSyntax, key.Position, $"found {key.Found} as a key; a key is a name");
                }
            }
            else if (name == "<<")
            {
                errors.Add(Codes.RecipeSyntax, key.Position, "merge keys (<<) are not supported; write the keys out");
            }
            else if (!lines.TryAdd(name, key.Position.Line))
            {
                errors.Add(Codes.RecipeSyntax, key.Position, $"'{YamlScalar.Excerpt(name)}' is given twice, first in line {lines[name]}");
            }
            else
            {
                // An absent value has no place of its own: its key's is shown.
                bool absent = value is YamlScalar { Text: "", Quoted: false };
                entries.Add(new(name, key.Position, absent ? value with { Position = key.Position } : value));
            }
        }

        return new(entries, position);
    }

    private void RefuseAnchorAndTag(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
        {
            errors.Add(Codes.RecipeSyntax, At(node.Start), $"anchors (&{node.Anchor.Value}) are not supported; write the value where it is needed");
        }

        // The parser gives "?" to plain scalars and "!" to quoted ones that have no tag.
        bool noTag = node.Tag.IsEmpty || node.Tag.Value == "?" || (node is Scalar { Style: not ScalarStyle.Plain } && node.Tag.Value == "!");
        if (!noTag)
        {
            errors.Add(Codes.RecipeSyntax, At(node.Start), $"tags ({YamlScalar.Excerpt(node.Tag.Value)}) are not supported; remove it");
        }
    }

    private static string AliasMessage(string name) =>
        $"a value that begins with '*' is a YAML alias; to match names, put it in quotes: \"*{YamlScalar.Excerpt(name)}\"";

    private static string Explain(string message, char found)
    {
        message = message.TrimEnd('.', ' ');
        message = char.ToLowerInvariant(message[0]) + message[1..];
        return found switch
        {
            '*' => "a value that begins with '*' is a YAML alias; to match names, put it in quotes: \"*\"",
            '@' or '`' or '%' => $"a value cannot begin with '{found}'; put it in quotes",
            _ when message.EndsWith("found invalid mapping", StringComparison.Ordinal) =>
                message + "; check the indentation, and put a text that contains ': ' in quotes",
            _ when message.EndsWith("expected key", StringComparison.Ordinal) => message + "; check the indentation",
            _ => message,
        };
    }

    private static int IndexOf(string text, Position position)
    {
        int lineStart = 0;
        for (int line = 1; line < position.Line; line++)
        {
            int end = text.IndexOf('\n', lineStart);
            if (end < 0)
            {
                return text.Length;
            }

            lineStart = end + 1;
        }

        return Math.Min(lineStart + position.Column - 1, text.Length);
    }

    private static Position? IndentingTab(string text)
    {
        int line = 0;
        foreach (var content in text.AsSpan().EnumerateLines())
        {
            line++;
            var rest = content.TrimStart(" \t");
            int tab = content[..^rest.Length].IndexOf('\t');
            if (tab >= 0 && rest is not [] and not ['#', ..])
            {
                return new(line, tab + 1);
            }
        }

        return null;
    }

    private static Position At(Mark mark) => new((int)mark.Line, (int)mark.Column);
}
