using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Compress.Build.Tests.Sample;

/// <summary>The sample as the build of this very solution made it: real targets, real engine, real model.</summary>
public class ConsumerAppRuns
{
    // .../tests/Build.Tests/bin/Debug/net10.0 beside .../samples/ConsumerApp/bin/Debug/net10.0
    private static readonly string Project = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", ".."));

    private static readonly string App = Path.GetFullPath(Path.Combine(
        Project, "..", "..", "samples", "ConsumerApp", Path.GetRelativePath(Project, AppContext.BaseDirectory), "ConsumerApp.dll"));

    [Fact]
    public void UnquantizedGreedyDecodingIsTheReferenceText()
    {
        var (code, text, error) = Run("--unquantized", "--temperature", "0", "--tokens", "256");
        string reference = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "assets", "stories260K", "greedy.txt"));
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(reference.TrimEnd('\n'), text[..text.IndexOf("\n\nsource", StringComparison.Ordinal)]);
        Assert.DoesNotContain("bits per weight", text, StringComparison.Ordinal);
    }

    [Fact]
    public void PackedWeightsTellAStoryAndItsFigures()
    {
        var (code, text, error) = Run();
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("Once upon a time, there was a little", text, StringComparison.Ordinal);
        double source = Figure(text, "source"), packed = Figure(text, "packed"), bits = Figure(text, "bits per weight");
        Assert.Equal(4 * 260_032, source);

        // 226,560 weights in 35 matrices at 4 to 4.5 bits, the embedding's 32,768 at 8 to 8.5: by hand, with a scale for each group.
        Assert.InRange(bits, ((4 * 226_560.0) + (8 * 32_768)) / 259_328, ((4.5 * 226_560) + (8.5 * 32_768)) / 259_328);
        Assert.InRange(packed, bits * 259_328 / 8, source / 5);
        Assert.True(Figure(text, "speed") > 0);
    }

    [Fact]
    public void ThePromptBeginsTheStory()
    {
        const string Prompt = "The old cat said: \"€5? ñandú 🙂\"";
        var (code, text, _) = Run("--prompt", Prompt, "--tokens", "1");
        Assert.Equal(0, code);
        Assert.StartsWith(Prompt, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'--unknown' is not an option", "--unknown")]
    [InlineData("--tokens needs a value", "--tokens")]
    [InlineData("'0' is not a whole number above 0", "--tokens", "0")]
    [InlineData("'hot' is not a temperature, 0 or above", "--temperature", "hot")]
    public void AWrongOptionIsOneLineAndTheHelp(string expected, params string[] arguments)
    {
        var (code, text, error) = Run(arguments);
        Assert.Equal((1, ""), (code, text));
        Assert.StartsWith(expected + "\n\nTells a story", error, StringComparison.Ordinal);
    }

    private static double Figure(string text, string name) => double.Parse(
        Regex.Match(text, $"^{name} +([0-9,.]+)", RegexOptions.Multiline).Groups[1].Value, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [App, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.ReplaceLineEndings("\n"), error.Result.ReplaceLineEndings("\n"));
    }
}
