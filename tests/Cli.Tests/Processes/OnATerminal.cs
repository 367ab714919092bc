using System.ComponentModel;
using System.Text;
using Compress.Cli.Tests.Infra;

namespace Compress.Cli.Tests.Processes;

/// <summary>In a terminal of its own, made by util-linux's <c>script</c>; without that there is nothing to test with.</summary>
public sealed class OnATerminal : IDisposable
{
    private const char Escape = '\u001b';

    private readonly Workspace workspace = new();

    [Fact]
    public void ARunShowsABarAndThenTheSummary()
    {
        workspace.Model(TestModel.Ordinary());
        if (InTerminal("", "run model.safetensors --no-cache") is { } text)
        {
            Assert.Contains("% ", text, StringComparison.Ordinal);
            Assert.Contains($"{Escape}[?25l", text, StringComparison.Ordinal); // the cursor is hidden while the bar moves …
            Assert.Contains($"{Escape}[?25h", text, StringComparison.Ordinal); // … and comes back
            Assert.Contains("2 layers: 0 cached, 2 encoded; 2 kept; ", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("NO_COLOR=1", false)]
    public void ErrorsAreRedUnlessColorIsUnwanted(string variable, bool isRed)
    {
        if (InTerminal(variable, "inspect none") is { } text)
        {
            Assert.Equal(isRed, text.Contains($"{Escape}[38;5;9merror CMPR2001{Escape}[0m: there is no such", StringComparison.Ordinal));
            Assert.Equal(!isRed, text.Contains(": error CMPR2001: there is no such", StringComparison.Ordinal));
        }
    }

    public void Dispose() => workspace.Dispose();

    private string? InTerminal(string variable, string arguments)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null; // other systems' script takes other options
        }

        try
        {
            // A clean environment: that of a build agent would switch bars and colors off.
            string command = $"env -i PATH=\"$PATH\" HOME=\"$HOME\" TERM=xterm-256color {variable} '{CliProcess.Host}' exec '{CliProcess.Assembly}' {arguments}";
            return Encoding.UTF8.GetString(CliProcess.RunHost(workspace.Root, "script", "-qec", command, "/dev/null").Output);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
