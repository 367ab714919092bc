using System.Text.RegularExpressions;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>PRG: what shows that long work goes on. When a line is due, Cli.Tests tells with a clock of its own.</summary>
public sealed class Progress : IClassFixture<SmallApp>
{
    private const string Compress = "-t:BuildOnlySettings;CompressModels";

    private readonly TestProject app;

    public Progress(SmallApp fixture)
    {
        app = fixture.App;
        Weights.Write(app.PathOf(SmallApp.Model));
        app.Environment.Clear();
        if (!File.Exists(app.PathOf("obj/project.assets.json")))
        {
            app.Restore();
        }
    }

    [Fact]
    public void PRG_01_TerminalLoggerShowsReadableNames()
    {
        ScriptedEngine.Script(app, "", seconds: 2);
        string output = app.Run("msbuild", Compress, ScriptedEngine.Argument, "-p:CompressForce=true", "-tl:on").MustSucceed().Output;
        Assert.Matches(@"CompressModel\s+Quantize", Regex.Replace(output, @"\e\[[0-9;?]*[A-Za-z]", " "));
    }

    [Fact]
    public void PRG_02_PlainConsoleShowsLinesOfLongWorkAndNoneOfNone()
    {
        const string Line = "tiny: 37/212 layers, 31 cached";
        ScriptedEngine.Script(app, $"progress: {Line}\nsummary: tiny: done\nchatter\n");
        string[] arguments = [Compress, ScriptedEngine.Argument];
        string[] lines = app.Run("msbuild", [.. arguments, "-p:CompressForce=true"]).MustSucceed().Output.Split('\n');
        Assert.Single(lines, line => line.Trim() == Line);
        Assert.DoesNotContain(lines, line => line.Contains("chatter", StringComparison.Ordinal));

        Assert.DoesNotContain("tiny", app.Run("msbuild", arguments).MustSucceed().Output);
    }
}
