using Compress.Cli.Console;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Output;

public class Diagnostics
{
    private static readonly Diagnostic Example = new(Codes.RecipeBadValue, Severity.Error, "bits is 40; give 1 to 8", "/r/compress.yaml", 7, 5);

    [Fact]
    public void ArePlainWhenRedirected() =>
        Assert.Equal("/r/compress.yaml(7,5): error CMPR1004: bits is 40; give 1 to 8\n", Report(isTerminal: false));

    [Fact]
    public void HaveTheSameTextOnATerminal() => Assert.Equal(Report(isTerminal: false), Report(isTerminal: true));

    private static string Report(bool isTerminal)
    {
        using var error = new StringWriter { NewLine = "\n" };
        new Terminal(TextWriter.Null, error, errorIsTerminal: isTerminal, color: false).Report(Example);
        return error.ToString();
    }
}
