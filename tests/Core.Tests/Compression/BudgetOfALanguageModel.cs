using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Compression;

/// <summary>A budget for a model that can be run: its layers are probed with noise.</summary>
public sealed class BudgetOfALanguageModel : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void IsSpreadByTheDivergenceThatNoiseCauses()
    {
        var report = Compress("cache", "model.safetensors");
        var allocation = report.Allocation!;
        Assert.Equal("kl", allocation.Metric);
        Assert.NotEmpty(allocation.Layers);
        Assert.All(allocation.Layers, layer => Assert.InRange(layer.Alpha, 1e-9, 1e3));
        Assert.All(allocation.Layers, layer => Assert.InRange(layer.StandardError, 0, layer.Alpha));
        Assert.Equal(allocation.Layers.Sum(layer => layer.Alpha * layer.RelativeMse), allocation.Predicted, 1e-12);
        Assert.True(report.BitsPerWeight <= 5);
    }

    [Fact]
    public void IsTheSameWithoutWhatWasCached()
    {
        var first = Compress("cache", "one.safetensors");
        var cached = Compress("cache", "two.safetensors");
        var again = Compress("other cache", "three.safetensors");
        Assert.Equal(first.Allocation!.Layers, cached.Allocation!.Layers);
        Assert.Equal(first.Allocation.Layers, again.Allocation!.Layers);
        Assert.Equal(File.ReadAllBytes(folder["one.safetensors"]), File.ReadAllBytes(folder["three.safetensors"]));
        Assert.Equal(0, cached.CacheMisses);
    }

    // All that the probes do is to write results: a result that is there is believed.
    [Fact]
    public void TakesSensitivitiesFromTheCache()
    {
        var first = Compress("cache", "one.safetensors");
        foreach (string file in Directory.GetFiles(folder["cache"], "*.json", SearchOption.AllDirectories))
        {
            File.WriteAllText(file, """{"Alpha":7,"StandardError":0.5,"Clamped":false}""");
        }

        Assert.All(Compress("cache", "two.safetensors").Allocation!.Layers, layer => Assert.Equal((7, 0.5), (layer.Alpha, layer.StandardError)));
        Assert.DoesNotContain(first.Allocation!.Layers, layer => layer.Alpha == 7);
    }

    private CompressionReport Compress(string cache, string output)
    {
        File.WriteAllText(folder["compress.yaml"], "budget: {bits: 5}\ngroupSize: 16\nlayers:\n- match: '*_proj.weight'\n  groupSize: 32\n");
        var diagnostics = new DiagnosticBag();
        var request = new CompressionRequest(Path.Combine(Assets.LanguageModels, "llama"), folder["compress.yaml"], folder[output])
        {
            Cache = new LayerCache(folder[cache]),
        };
        var report = Compressor.Run(request, diagnostics, null, CancellationToken.None);
        Assert.Empty(diagnostics.Items);
        return report!;
    }
}
