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
    public void IsSpreadByTheDivergenceThatErrorsCause()
    {
        var report = Compress("cache", "model.safetensors");
        var allocation = report.Allocation!;
        Assert.Equal(("kl", "grid", "random"), (allocation.Metric, allocation.Probe, allocation.Tokens));
        Assert.NotEmpty(allocation.Layers);
        Assert.All(allocation.Layers, layer => Assert.InRange(layer.Alpha, 1e-9, 1e3));
        Assert.All(allocation.Layers, layer => Assert.InRange(layer.Predicted, 0.5 * layer.Alpha * layer.RelativeMse, 2 * layer.Alpha * layer.RelativeMse));
        Assert.InRange(allocation.Interaction!.Value, 0.5, 2);
        Assert.Equal(allocation.Layers.Sum(layer => layer.Predicted) * allocation.Interaction.Value, allocation.Predicted, 1e-12);
        Assert.Equal(allocation.Predicted, allocation.PredictedKl);
        Assert.Null(allocation.PredictedLnPerplexity);
        Assert.Null(allocation.Measured);
        Assert.True(report.BitsPerWeight <= 5);
    }

    // All that the probes do is to write results: a result that is there is believed. Those of whole choices have no tokens.
    [Fact]
    public void TheChoiceIsTheOneThatCostsLeastAsAWhole()
    {
        Compress("cache", "m.safetensors");
        string[] joint = [.. Directory.GetFiles(folder["cache"], "*.json", SearchOption.AllDirectories).Where(file => !File.ReadAllText(file).Contains("Tokens", StringComparison.Ordinal))];
        Assert.True(joint.Length > 1);
        var choices = new HashSet<string>();
        foreach (string least in joint)
        {
            Array.ForEach(joint, file => File.WriteAllText(file, $$"""{"Kl":{{(file == least ? 1 : 9)}},"LnPerplexity":"NaN"}"""));
            var report = Compress("cache", "m.safetensors");
            Assert.Equal(1, report.Allocation!.PredictedKl!.Value, 1e-12);
            choices.Add(string.Join(' ', report.Allocation.Layers.Select(layer => layer.RelativeMse)));
        }

        Assert.Equal(joint.Length, choices.Count);
    }

    [Fact]
    public void LayersWithoutAChoiceAreCountedInWhatIsPredicted()
    {
        File.WriteAllText(folder["compress.yaml"], "budget: {bits: 5}\ngroupSize: 16\nlayers:\n- match: model.layers.0.mlp.up_proj.weight\n  bits: 2\n");
        var allocation = Run("cache", "m.safetensors", new DiagnosticBag())!.Allocation!;
        Assert.InRange(allocation.Layers.Single(layer => layer.Name == "model.layers.0.mlp.up_proj.weight").Predicted, 1e-6, allocation.Predicted);
    }

    [Theory]
    [InlineData("probe: grid", "kl", "grid")]
    [InlineData("probe: noise", "kl", "noise")]
    [InlineData("metric: perplexity", "perplexity", "grid")]
    [InlineData("probe: noise, metric: perplexity", "perplexity", "noise")]
    public void OrByWhatTheyCauseOnTheCalibrationText(string sensitivity, string metric, string probe)
    {
        WriteText();
        var allocation = Compress("cache", "model.safetensors", ", sensitivity: {" + sensitivity + "}", "calibration: {text: t.ids}\n").Allocation!;
        Assert.Equal((metric, probe, "calibration"), (allocation.Metric, allocation.Probe, allocation.Tokens));
        Assert.True(allocation.PredictedKl > 0);
        Assert.NotNull(allocation.PredictedLnPerplexity);
        Assert.Equal(metric == "kl" ? allocation.PredictedKl : allocation.PredictedLnPerplexity, allocation.Predicted);
        Assert.True(allocation.Layers.All(layer => layer.Tokens > 0));
    }

    [Fact]
    public void TheCalibrationTextCountsAndMayBeLeftOut()
    {
        WriteText();
        string random = File.ReadAllText(Write("", "")), text = File.ReadAllText(Write("", "calibration: {text: t.ids}\n"));
        Assert.NotEqual(random, text);
        Assert.Equal(random, File.ReadAllText(Write(", sensitivity: {source: random}", "calibration: {text: t.ids}\n")));

        string Write(string sensitivity, string rest)
        {
            string path = folder["allocation.json"];
            File.WriteAllText(path, string.Join('\n', Compress("cache", "m.safetensors", sensitivity, rest).Allocation!.Layers));
            return path;
        }
    }

    // On the calibration text itself, and all of it, what was predicted for a layer alone is what is measured.
    [Fact]
    public void WhatIsPredictedIsMeasuredWhereAGateHasAText()
    {
        WriteText();
        const string Gate = "gate: {kl: {text: t.ids, max: 9}}\n", Exactly = ", sensitivity: {standardError: 0.000001}";
        var allocation = Compress("cache", "m.safetensors", Exactly, "calibration: {text: t.ids}\n" + Gate).Allocation!;
        Assert.InRange(allocation.Measured!.Kl!.Value / allocation.PredictedKl!.Value, 0.7, 1.4);
        Assert.Equal(folder["t.ids"], allocation.Measured.Text);
        var probed = allocation.Layers.Where(layer => layer.RelativeMse >= 0.002).ToList();
        Assert.NotEmpty(probed);
        Assert.All(allocation.Layers, layer => Assert.InRange(layer.Measured!.Kl!.Value, 0.3 * layer.PredictedKl!.Value, 3 * layer.PredictedKl!.Value));
    }

    [Fact]
    public void ErrorsBeyondTheTheoremAreWarnedOf()
    {
        File.WriteAllText(folder["compress.yaml"], "seed: 1\nbudget:\n  bits: 4\nlayers:\n- match: '*_proj.weight'\n  groupSize: 32\n");
        var diagnostics = new DiagnosticBag();
        var allocation = Run("cache", "m.safetensors", diagnostics)!.Allocation!;
        var warning = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.BudgetBeyondTheorem, Severity.Warning, 3, 9), (warning.Code, warning.Severity, warning.Line, warning.Column));
        Assert.StartsWith($"{allocation.LayersBeyond} of {allocation.Layers.Count} layers have errors t² above 0.01, most of all ", warning.Message, StringComparison.Ordinal);
        Assert.True(allocation.LayersBeyond > 0);
    }

    [Fact]
    public void AModelThatCannotBeRunIsAnErrorWhereProbesAreAskedFor()
    {
        using var tiny = new LanguageModels.TinyLlama();
        tiny.Config["architectures"] = new System.Text.Json.Nodes.JsonArray("Unheard");
        string path = tiny.Write();
        File.WriteAllText(folder["compress.yaml"], "budget:\n  bits: 4\n  sensitivity: {probe: noise}\nlayers:\n- match: '*'\n  method: uniform\n");
        var diagnostics = new DiagnosticBag();
        Assert.Null(Run("cache", "m.safetensors", diagnostics, path));
        var error = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.LanguageModelUnknown, folder["compress.yaml"], 3, 3), (error.Code, error.File, error.Line, error.Column));
        Assert.StartsWith("sensitivities cannot be measured by running the model: ", error.Message, StringComparison.Ordinal);
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
            File.WriteAllText(file, """{"RelativeMse":0.01,"Kl":0.07,"KlError":0.002,"LnPerplexity":"NaN","LnPerplexityError":"NaN","Tokens":5}""");
        }

        Assert.All(Compress("cache", "two.safetensors").Allocation!.Layers, layer => Assert.Equal((7, 5), (Math.Round(layer.Alpha, 9), layer.Tokens)));
        Assert.DoesNotContain(first.Allocation!.Layers, layer => layer.Alpha == 7);
    }

    private void WriteText() => File.WriteAllText(folder["t.ids"], string.Join(' ', Enumerable.Range(0, 200).Select(i => i * i / 7 % 50)));

    private CompressionReport Compress(string cache, string output, string sensitivity = "", string rest = "")
    {
        File.WriteAllText(folder["compress.yaml"], $"budget: {{bits: 5{sensitivity}}}\ngroupSize: 16\nlayers:\n- match: '*_proj.weight'\n  groupSize: 32\n{rest}");
        var diagnostics = new DiagnosticBag();
        var report = Run(cache, output, diagnostics);
        Assert.DoesNotContain(diagnostics.Items, diagnostic => diagnostic.Code is not (Codes.BudgetBeyondTheorem or Codes.CalibrationUnused));
        return report!;
    }

    private CompressionReport? Run(string cache, string output, DiagnosticBag diagnostics, string? model = null) => Compressor.Run(
        new CompressionRequest(model ?? Path.Combine(Assets.LanguageModels, "llama"), folder["compress.yaml"], folder[output]) { Cache = new LayerCache(folder[cache]) },
        diagnostics, null, CancellationToken.None);
}
