using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Explaining;
using Compress.Core.Reports;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels;
using Compress.Runtime;

namespace Compress.Core.Tests.Calibration;

/// <summary>A Llama of one layer, compressed by a method that needs the second moments of inputs.</summary>
public sealed class CalibratedCompression : IDisposable
{
    private const string Down = "model.layers.0.mlp.down_proj.weight", Up = "model.layers.0.mlp.up_proj.weight", Query = "model.layers.0.self_attn.q_proj.weight";

    private const string Rule = "layers:\n- match: '*_proj.weight'\n  method: uniform\n  bits: 4\n  groupSize: 16\n  feedback: gptq\n";

    private const string Text = "calibration: { text: t.ids }\n";

    private readonly TinyLlama llama = new();
    private readonly DiagnosticBag diagnostics = new();
    private readonly Progress progress = new();

    public CalibratedCompression()
    {
        llama.Write();
        WriteText(200);
    }

    private string OutputPath => Path.Combine(llama.Folder, "out", "m.packed.safetensors");

    private string ReportPath => OutputPath + ".json";

    public void Dispose() => llama.Dispose();

    [Fact]
    public void RunsTheModelOnceForAllLayersAndNamesItsFiles()
    {
        var report = Compress(Rule + Text);
        Assert.Equal(1, progress.Calibrations);
        Assert.Equal(7, report.CacheMisses);
        Assert.Contains(Path.Combine(llama.Folder, "t.ids"), report.Files);
        Assert.Contains(llama.ConfigFile, report.Files);
        Assert.Equal(report.Files.Count, report.Files.Distinct().Count());
        Assert.All(report.Layers, layer => Assert.Equal(layer.Codec == "uniform", layer.Key.Statistics.Length > 0));
    }

    [Fact]
    public void OfTheSameModelAndTextComputesNothing()
    {
        Compress(Rule + Text);
        var report = Compress("# the same\n" + Rule + Text);
        Assert.Equal((0, 0, true), (progress.Calibrations, report.CacheMisses, report.Unchanged));
    }

    [Fact]
    public void WithAChangedRuleRecomputesNoStatistics()
    {
        Compress(Rule + Text);
        var report = Compress(Rule.Replace("layers:\n", $"layers:\n- match: {Query}\n  method: uniform\n  bits: 3\n  groupSize: 16\n  feedback: gptq\n", StringComparison.Ordinal) + Text);
        Assert.Equal((0, 1), (progress.Calibrations, report.CacheMisses));
    }

    [Fact]
    public void ComputesOnlyWhatItsLayersNeed()
    {
        Compress(Rule.Replace("'*_proj.weight'", Down, StringComparison.Ordinal) + Text);
        Assert.Equal(2, Entries());
        Compress(Rule.Replace("'*_proj.weight'", $"[{Down}, {Up}]", StringComparison.Ordinal) + Text);
        Assert.Equal((1, 4), (progress.Calibrations, Entries()));
        Compress("method: uniform\n" + Text);
        Assert.Equal(0, progress.Calibrations);
    }

    [Fact]
    public void OfACachedModelNeedsNoStatistics()
    {
        Compress(Rule + Text);
        foreach (string entry in Directory.GetFiles(Path.Combine(llama.Folder, "cache"), "*.layer", SearchOption.AllDirectories))
        {
            if (File.ReadAllText(entry).Contains("\"codec\\\":\\\"statistics\\\"", StringComparison.Ordinal))
            {
                File.Delete(entry);
            }
        }

        Assert.Equal(7, Entries());
        var report = Compress(Rule + Text);
        Assert.Equal((0, 0), (progress.Calibrations, report.CacheMisses));
    }

    [Fact]
    public void OfAnotherTextOrModelComputesThemAgain()
    {
        Compress(Rule + Text);
        WriteText(201);
        Assert.Equal(7, Compress(Rule + Text).CacheMisses);
        Assert.Equal(1, progress.Calibrations);
        llama.Config["rms_norm_eps"] = 0.25;
        llama.Write();
        Assert.Equal(7, Compress(Rule + Text).CacheMisses);
        Assert.Equal(1, progress.Calibrations);
    }

    [Fact]
    public void IsExplainedByWhatChanged()
    {
        ReportWriter.Write(Compress(Rule + Text), ReportPath);
        WriteText(201);
        string why = Preview(Rule + Text).Layers.Single(layer => layer.Name == Down).Why!;
        Assert.Matches("^statistics text=[0-9a-f]{8}… tokens=200 -> text=[0-9a-f]{8}… tokens=201$", why);
        Assert.Matches(
            "^statistics text=[0-9a-f]{8}… tokens=200 window=16 -> text=[0-9a-f]{8}… tokens=201 window=6$",
            Preview(Rule + "calibration: { text: t.ids, window: 6 }\n").Layers.Single(layer => layer.Name == Down).Why);
        llama.Config["rms_norm_eps"] = 0.25;
        llama.Write();
        WriteText(200);
        Assert.Matches("^statistics model=[0-9a-f]{8}… -> model=[0-9a-f]{8}…$", Preview(Rule + Text).Layers.Single(layer => layer.Name == Down).Why);
    }

    [Fact]
    public void WithoutCalibrationIsAnErrorBeforeAnythingIsDone()
    {
        Assert.Null(Run(Rule));
        var error = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.CalibrationMissing, 2), (error.Code, error.Line));
        Assert.False(File.Exists(OutputPath));
    }

    /// <summary>The same packed bytes: with and without a cache, on any number of threads, from a file of the statistics.</summary>
    [Fact]
    public void GivesTheSameBytes()
    {
        Compress(Rule + Text);
        byte[] first = Decoded(OutputPath);
        Compress(Rule + Text, cache: false, threads: 1);
        Assert.Equal(first, Decoded(OutputPath));
        using (var source = Core.Models.ModelFile.Open(llama.Folder))
        {
            Core.Calibration.ModelCalibration.Write(
                source, new(Path.Combine(llama.Folder, "t.ids")), Core.Calibration.StatisticNames.AllKinds, null, Path.Combine(llama.Folder, "s.safetensors"), diagnostics, null, CancellationToken.None);
        }

        Compress(Rule + "calibration: { statistics: s.safetensors }\n", cache: false);
        Assert.Equal(first, Decoded(OutputPath));
        Assert.Equal([OutputPath], Directory.GetFileSystemEntries(Path.GetDirectoryName(OutputPath)!));
    }

    private static byte[] Decoded(string path)
    {
        using var model = PackedModel.OpenFile(path);
        float[] values = [.. model.Names.SelectMany(name =>
        {
            float[] floats = new float[model[name].Count];
            model[name].Dequantize(floats);
            return floats;
        })];
        return System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray();
    }

    private int Entries() => Directory.GetFiles(Path.Combine(llama.Folder, "cache"), "*.layer", SearchOption.AllDirectories).Length;

    private void WriteText(int tokens) => File.WriteAllText(Path.Combine(llama.Folder, "t.ids"), string.Join(' ', Enumerable.Range(0, tokens).Select(i => (i * i / 3) % 10)));

    private CompressionRequest Request(string recipe, bool cache = true, int threads = 2)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(OutputPath)!);
        File.WriteAllText(Path.Combine(llama.Folder, "compress.yaml"), recipe);
        return new(llama.Folder, null, OutputPath) { Cache = cache ? new LayerCache(Path.Combine(llama.Folder, "cache")) : null, Threads = threads };
    }

    private Preview Preview(string recipe) =>
        Core.Explaining.Preview.Make(Request(recipe), LastRun.Read(ReportPath), diagnostics, CancellationToken.None)!;

    private CompressionReport? Run(string recipe, bool cache = true, int threads = 2)
    {
        progress.Calibrations = 0;
        return Compressor.Run(Request(recipe, cache, threads), diagnostics, progress, CancellationToken.None);
    }

    private CompressionReport Compress(string recipe, bool cache = true, int threads = 2)
    {
        var report = Run(recipe, cache, threads);
        Assert.DoesNotContain(diagnostics.Items, item => item.Severity != Severity.Message);
        return report!;
    }

    /// <summary>Counts the calibrations that began.</summary>
    private sealed class Progress : IProgress<CompressionProgress>
    {
        public int Calibrations { get; set; }

        public void Report(CompressionProgress value) => Calibrations += value.Calibration is { Done: 1 } ? 1 : 0;
    }
}
