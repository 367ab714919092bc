using Spectre.Console;

namespace Compress.Cli.Console;

/// <summary>A table: with lines on a terminal, plain aligned columns that are never cut elsewhere.</summary>
/// <param name="columns">The headings; those that begin with <c>&gt;</c> head numbers and are aligned right.</param>
internal sealed class TextTable(params string[] columns)
{
    private const string Gap = "  ";

    private readonly List<string[]> rows = [];

    /// <summary>Adds a row of as many cells as there are columns.</summary>
    public void Add(params string[] cells) => rows.Add([.. cells.Select(Printable)]);

    public void Write(Terminal terminal)
    {
        if (terminal.OutputIsTerminal)
        {
            WriteRich(terminal.RichOutput);
        }
        else
        {
            WritePlain(terminal.Output);
        }
    }

    // Names come from files: none may move the cursor.
    private static string Printable(string cell) =>
        cell.Any(char.IsControl) ? string.Concat(cell.Select(c => char.IsControl(c) ? '?' : c)) : cell;

    private static bool IsNumber(string column) => column[0] == '>';

    private static string Heading(string column) => column.TrimStart('>');

    private void WriteRich(IAnsiConsole console)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (string column in columns)
        {
            var cell = new TableColumn(new Text(Heading(column))) { NoWrap = IsNumber(column) };
            table.AddColumn(IsNumber(column) ? cell.RightAligned() : cell);
        }

        foreach (string[] row in rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        console.Write(table);
    }

    private void WritePlain(TextWriter writer)
    {
        string[][] lines = [[.. columns.Select(Heading)], .. rows];
        int[] widths = [.. columns.Select((_, i) => lines.Max(line => line[i].Length))];
        foreach (string[] line in lines)
        {
            var cells = line.Select((cell, i) => IsNumber(columns[i]) ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            writer.WriteLine(string.Join(Gap, cells).TrimEnd());
        }
    }
}
