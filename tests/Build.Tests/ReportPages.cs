using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests;

public sealed class ReportPages : IDisposable
{
    private const string Report = "-p:CompressReport=true";

    private readonly TestProject library = new(
        "Library", """<CompressedModel Include="tiny.safetensors" /><CompressedModel Include="small.safetensors" />""", "");

    public ReportPages()
    {
        Weights.Write(library.PathOf("tiny.safetensors"));
        Weights.Write(library.PathOf("small.safetensors"), seed: 2);
    }

    public void Dispose() => library.Dispose();

    [Fact]
    public void ShowsAllModelsAndComesBack()
    {
        library.Build().MustSucceed();
        Assert.Empty(library.Files("obj", "report.html"));

        Assert.Equal(1, library.Build(Report).MustSucceed().EngineRuns);
        string page = Assert.Single(library.Files("obj", "report.html"));
        string text = File.ReadAllText(page);
        Assert.All(["\"tiny\"", "\"small\"", Weights.Attention], expected => Assert.Contains(expected, text, StringComparison.Ordinal));
        Assert.Equal(0, library.Build(Report).MustSucceed().EngineRuns);

        Weights.Write(library.PathOf("tiny.safetensors"), seed: 3);
        library.Build(Report).MustSucceed();
        Assert.NotEqual(text, File.ReadAllText(page));
        Assert.Contains("\"small\"", File.ReadAllText(page), StringComparison.Ordinal);

        File.Delete(page);
        Assert.Equal(0, library.Build(Report).MustSucceed().Compilations);
        Assert.True(File.Exists(page));
        library.Run("clean").MustSucceed();
        Assert.False(File.Exists(page));
    }

    [Fact]
    public void PropertyMustBeASwitch() =>
        Assert.Equal("CMPR4004", Assert.Single(library.Build("-p:CompressReport=maybe").MustFail().Errors).Code);
}
