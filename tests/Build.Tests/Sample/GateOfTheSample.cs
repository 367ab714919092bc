using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Sample;

/// <summary>The sample's model, recipe and held-out stories in a build of their own: what it says, reports, and refuses.</summary>
public sealed class GateOfTheSample : IDisposable
{
    private static readonly string Models = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", "..", "samples", "ConsumerApp", "Models"));

    private readonly TestProject app = new("App", """<CompressedModel Include="Models/stories260K.safetensors" />""", "");

    public GateOfTheSample()
    {
        Directory.CreateDirectory(app.PathOf("Models"));
        foreach (string file in Directory.GetFiles(Models))
        {
            File.Copy(file, app.PathOf(Path.Combine("Models", Path.GetFileName(file))));
        }
    }

    public void Dispose() => app.Dispose();

    [Fact]
    public void BuildPrintsTheMeasuredIncreaseAndThePageShowsIt()
    {
        var build = app.Build("-p:CompressReport=true").MustSucceed();
        var line = Regex.Match(build.Output, @"stories260K: perplexity (\S+) -> (\S+) \(\+(\S+) %\) on (\d+) tokens of held-out\.txt");
        Assert.True(line.Success, build.Output);
        double[] said = [.. line.Groups.Values.Skip(1).Select(group => double.Parse(group.Value, CultureInfo.InvariantCulture))];

        var evaluation = app.Report().GetProperty("evaluations")[0];
        double before = evaluation.GetProperty("sourcePerplexity").GetDouble(), after = evaluation.GetProperty("perplexity").GetDouble();
        Assert.Equal(4.117947, before, 1e-4); // by PyTorch in float64, with SentencePiece's ids
        Assert.Equal([Math.Round(before, 4), Math.Round(after, 4), Math.Round(((after / before) - 1) * 100, 2)], said[..3]);
        Assert.InRange(after, before, before * 1.12); // what the recipe allows
        Assert.Equal(evaluation.GetProperty("tokens").GetInt32(), said[3]);

        string page = File.ReadAllText(Assert.Single(app.Files("obj", "report.html")));
        const string Start = "<script type=\"application/json\" id=\"data\">";
        int at = page.IndexOf(Start, StringComparison.Ordinal) + Start.Length;
        var model = JsonDocument.Parse(page[at..page.IndexOf("</script>", at, StringComparison.Ordinal)]).RootElement.GetProperty("models")[0];
        Assert.Equal((before, after), (model.GetProperty("perplexity").GetDouble(), model.GetProperty("recipes")[0].GetProperty("perplexity").GetDouble()));
    }

    [Fact]
    public void StricterLimitIsAnErrorAtItsLine()
    {
        string[] recipe = [.. app.Read("Models/compress.yaml").ReplaceLineEndings("\n").Split('\n').Select(line => line.Replace("12%", "1%", StringComparison.Ordinal))];
        app.Write("Models/compress.yaml", string.Join('\n', recipe));
        var error = Assert.Single(app.Build().MustFail().Errors);
        Assert.Equal(("CMPR2101", app.PathOf("Models/compress.yaml"), Array.FindIndex(recipe, line => line.Contains("1%", StringComparison.Ordinal)) + 1),
            (error.Code, Path.GetFullPath(error.File), error.LineNumber));
        Assert.Matches(@"^the perplexity rises by \d+\.\d\d % .*the gate allows 1\.00 %; give more bits to the layers that cost most: (\S+ \(KL \S+ alone\)(, |$)){3}", error.Text);
    }
}
