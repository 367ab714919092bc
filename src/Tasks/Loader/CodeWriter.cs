using System;
using System.Text;

namespace Compress.Tasks.Loader;

/// <summary>Writes lines of C# with their indentation; always LF.</summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder text = new();
    private int depth;

    /// <summary>Writes one line.</summary>
    public void Line(string line = "") => text.Append(' ', line.Length == 0 ? 0 : 4 * depth).Append(line).Append('\n');

    /// <summary>Writes a summary comment. The text is already marked up.</summary>
    public void Summary(string markup) => Line("/// <summary>" + markup + "</summary>");

    /// <summary>Writes a head, an opening brace, a body and a closing brace.</summary>
    public void Block(string head, Action body)
    {
        Line(head);
        Line("{");
        depth++;
        body();
        depth--;
        Line("}");
    }

    /// <inheritdoc/>
    public override string ToString() => text.ToString();
}
