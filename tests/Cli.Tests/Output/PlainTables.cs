using Compress.Cli.Console;

namespace Compress.Cli.Tests.Output;

public class PlainTables
{
    [Fact]
    public void AreAlignedAndNeverCut()
    {
        string name = new('n', 300);
        var table = new TextTable("name", ">bytes");
        table.Add("a", "1,000");
        table.Add(name, "2");
        Assert.Equal($"name{new string(' ', 296)}  bytes\na{new string(' ', 299)}  1,000\n{name}      2\n", Plain(table));
    }

    [Fact]
    public void HaveNoControlCharacters()
    {
        var table = new TextTable("name");
        table.Add("evil\u001b[2J\r\nname\u009b");
        Assert.Equal("name\nevil?[2J??name?\n", Plain(table));
    }

    private static string Plain(TextTable table)
    {
        using var output = new StringWriter { NewLine = "\n" };
        table.Write(new Terminal(output, TextWriter.Null));
        return output.ToString();
    }
}
