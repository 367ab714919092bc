using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Explaining;
using Compress.Core.Reports;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Explaining;

public sealed class PreviewOfACompression : CompressionTest
{
    private string ReportPath => OutputPath + ".report.json";

    [Fact]
    public void OfANewModelEncodesAllMatrices()
    {
        var preview = Make();
        Assert.False(preview.UpToDate);
        Assert.Equal(4 * ((64 * 96) + (128 * 64) + 4) + 16, preview.SourceBytes);
        Assert.Equal(
            [("a.weight", LayerAction.Encode), ("b.weight", LayerAction.Encode), ("norm.weight", LayerAction.Keep), ("position", LayerAction.Keep)],
            preview.Layers.Select(layer => (layer.Name, layer.Action)));
        Assert.Equal("no earlier run is known here, and it is not in the cache", preview.Layers[0].Why);
        Assert.Null(preview.Layers[2].Why);
    }

    [Fact]
    public void AgreesWithWhatTheCompressionThenDoes()
    {
        Compress();
        foreach (string recipe in (string[])["bits: 3", "layers:\n  - match: a.weight\n    bits: 2", "keep: bfloat16", "layers:\n  - match: a.weight\n    keep: source"])
        {
            Recipe("version: 1\n" + (recipe.StartsWith("keep", StringComparison.Ordinal) ? "layers:\n  - match: b.weight\n    keep: bfloat16" : recipe) + "\n");
            var preview = Make();
            var report = Compress();
            Assert.Equal(
                report.Layers.Select(layer => (layer.Name, layer.Codec, layer.Cache)),
                preview.Layers.Select(layer => (layer.Name, layer.Codec, layer.Action switch
                {
                    LayerAction.Encode => "miss",
                    LayerAction.Reuse => "hit",
                    _ => "kept",
                })));
            Assert.True(Make().UpToDate);
        }
    }

    [Fact]
    public void NamesTheSettingThatChanged()
    {
        Compress();
        Recipe("version: 1\nlayers:\n  - match: a.weight\n    bits: 3\n");
        var layers = Make().Layers;
        Assert.Equal("settings n=16 -> n=8", layers[0].Why);
        Assert.Equal(LayerAction.Reuse, layers[1].Action);
    }

    [Fact]
    public void NamesTheTensorThatChanged()
    {
        Compress();
        Standard(seedOfB: 5).Write(ModelPath);
        var layers = Make().Layers;
        Assert.Equal(LayerAction.Reuse, layers[0].Action);
        Assert.Matches("^weights [0-9a-f]{8}… -> [0-9a-f]{8}…$", layers[1].Why);
    }

    [Fact]
    public void IsNotUpToDateWithoutTheOutput()
    {
        Compress();
        Assert.True(Make().UpToDate);
        File.Delete(OutputPath);
        var preview = Make();
        Assert.False(preview.UpToDate);
        Assert.DoesNotContain(preview.Layers, layer => layer.Action == LayerAction.Encode);
    }

    [Fact]
    public void KnowsAnEntryThatIsGone()
    {
        Compress();
        File.Delete(Entries()[0]);
        var gone = Assert.Single(Make().Layers, layer => layer.Action == LayerAction.Encode);
        Assert.Equal("nothing changed since the last run, but it is not in the cache", gone.Why);
    }

    [Fact]
    public void KnowsAnotherSalt()
    {
        Compress();
        var preview = Make(new LayerCache(CachePath, salt: "new"));
        Assert.Equal("the cache's salt changed", preview.Layers[0].Why);
    }

    [Fact]
    public void FailsAsTheCompressionWould()
    {
        Recipe("version: 1\nbits: 99\n");
        Assert.Null(Preview.Make(Request(new LayerCache(CachePath)), null, Diagnostics, CancellationToken.None));
        Assert.Equal(Codes.RecipeBadValue, Assert.Single(Diagnostics.Items).Code);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"layers":[null,{},{"name":"a.weight"},{"name":"a.weight","key":3}]}""")]
    public void DamagedReportIsNone(string? text)
    {
        if (text is not null)
        {
            File.WriteAllText(ReportPath, text);
        }

        Assert.Null(LastRun.Read(ReportPath));
    }

    private CompressionReport Compress()
    {
        var report = Run()!;
        ReportWriter.Write(report, ReportPath);
        return report;
    }

    private CompressionRequest Request(LayerCache cache) => new(ModelPath, null, OutputPath) { Cache = cache };

    private Preview Make(LayerCache? cache = null) =>
        Preview.Make(Request(cache ?? new LayerCache(CachePath)), LastRun.Read(ReportPath), Diagnostics, CancellationToken.None)!;
}
