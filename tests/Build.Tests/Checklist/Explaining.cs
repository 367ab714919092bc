using Compress.Build.Tests.Infra;
using Microsoft.Build.Logging.StructuredLogger;

namespace Compress.Build.Tests.Checklist;

/// <summary>Why a build computes what it computes: CCH-09, and <c>compress list</c>, which says so before.</summary>
public sealed class Explaining : IDisposable
{
    private const string Explain = "-p:CompressExplain=true";
    private const string Unknown = "no earlier run is known here, and it is not in the cache";

    private readonly TestProject app = new("Library", """<CompressedModel Include="tiny.safetensors" />""", "");

    public Explaining() => Weights.Write(app.PathOf("tiny.safetensors"));

    [Fact]
    public void CCH_09_EveryMissIsExplained()
    {
        string[] first = Messages(app.Build(Explain).MustSucceed());
        Assert.Contains(first, line => line.EndsWith("tiny.safetensors: nothing is known of an earlier build", StringComparison.Ordinal));
        Assert.Contains($"tiny: 2 layers ({Weights.FeedForward}, {Weights.Attention}): {Unknown}", first);

        string up = Assert.Single(Messages(app.Build(Explain).MustSucceed()));
        Assert.EndsWith("tiny.safetensors: up to date", up, StringComparison.Ordinal);

        Weights.Write(app.PathOf("tiny.safetensors"), seed: 2);
        string[] changed = Messages(app.Build(Explain).MustSucceed());
        Assert.Contains(changed, line => line.EndsWith("tiny.safetensors' has changed", StringComparison.Ordinal));
        Assert.Contains(changed, line => line.StartsWith($"tiny: 1 layer ({Weights.Attention}): weights ", StringComparison.Ordinal));

        app.Write("compress.yaml", "version: 1\nlayers:\n  - match: '*.up_proj.weight'\n    bits: 3\n");
        Assert.Contains($"tiny: 1 layer ({Weights.FeedForward}): settings n=16 -> n=8", Messages(app.Build(Explain).MustSucceed()));

        Assert.Contains(
            $"tiny: 2 layers ({Weights.FeedForward}, {Weights.Attention}): the cache's salt changed",
            Messages(app.Build(Explain, "-p:CompressCacheSalt=other").MustSucceed()));

        Directory.Delete(Path.Combine(app.Solution, "cache"), recursive: true);
        Assert.Contains(
            $"tiny: 2 layers ({Weights.FeedForward}, {Weights.Attention}): every layer is encoded anew on request",
            Messages(app.Build(Explain, "-p:CompressForce=true").MustSucceed()));
        Assert.Empty(Messages(app.Build().MustSucceed()));
    }

    [Fact]
    public void ListSaysWhatTheNextBuildThenDoes()
    {
        app.Restore();
        Assert.Contains("encodes 2 of 2 layers", List(), StringComparison.Ordinal);
        app.Build().MustSucceed();
        Assert.Matches(@"\bnothing\b", List());
        app.Write("compress.yaml", "version: 1\nlayers:\n  - match: '*.up_proj.weight'\n    bits: 3\n");
        string list = List();
        Assert.Contains("encodes 1 of 2 layers", list, StringComparison.Ordinal);
        Assert.Contains($"1 layer ({Weights.FeedForward}): settings n=16 -> n=8", list, StringComparison.Ordinal);
        app.Build().MustSucceed();
        Assert.Equal(1, app.Report().GetProperty("cacheMisses").GetInt32());
    }

    public void Dispose() => app.Dispose();

    private static string[] Messages(BuildResult build) =>
        [.. build.All<Message>().Select(message => message.Text).Where(text => text.Contains("tiny: ", StringComparison.Ordinal) || text.Contains("tiny.safetensors: ", StringComparison.Ordinal))
            .Where(text => !text.Contains("bits per weight", StringComparison.Ordinal))];

    private string List()
    {
        string engine = Path.Combine(TestRun.Current.Packages, "compress.tasks", TestRun.Current.Version, "tools", "net10.0", "any", "compress.dll");
        var (exitCode, output) = Tool.Run("dotnet", ["exec", engine, "list", app.ProjectFile], app.Solution, TestRun.Current.Packages);
        Assert.True(exitCode == 0, output);
        return output;
    }
}
