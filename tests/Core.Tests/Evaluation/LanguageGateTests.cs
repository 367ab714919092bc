using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Evaluation;

/// <summary>Gates on a real language model: stories260K, on stories that it was not trained on.</summary>
public sealed class GateOnALanguageModel : IDisposable
{
    private const string On = "text: held-out.txt, unit: paragraph, window: 65, limit: 3";

    private readonly TempFolder folder = new();
    private readonly DiagnosticBag diagnostics = new();
    private readonly Counter counter = new();

    public GateOnALanguageModel()
    {
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(Assets.Stories)!))
        {
            File.Copy(file, folder[Path.GetFileName(file)]);
        }

        File.WriteAllText(folder["held-out.txt"],
            "Spot saw the shiny car and said, \"Wow, Kitty, your car is so bright and clean!\"\n\nOnce upon a time, in a big forest, there lived a "
            + "rhinoceros named Roxy. Roxy loved to climb.\n\nAfter playing with the car, Kitty and Spot felt thirsty. They found a small pond.\n");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void OpenGateReportsWhatItMeasured()
    {
        var report = Compress($"bits: 4\ngate:\n  perplexity: {{{On}, increase: 50%}}\n  kl: {{{On}, max: 1}}\n")!;
        Assert.Empty(diagnostics.Items);
        var evaluation = Assert.Single(report.Evaluations);
        Assert.Equal(("paragraph", 65, 3, 1), (evaluation.Unit, evaluation.Window, evaluation.Limit, evaluation.Bos));
        Assert.InRange(evaluation.Perplexity / evaluation.SourcePerplexity, 0.9, 1.5);
        Assert.InRange(evaluation.Kl!.Value, 0.001, 1);
        Assert.Contains(folder["held-out.txt"], report.Files);
        Assert.Contains(folder["config.json"], report.Files);
    }

    [Fact]
    public void ClosedGateIsAnErrorAtItsLimitAndLeavesTheOldFile()
    {
        Compress("bits: 8\nmethod: uniform\n");
        byte[] before = File.ReadAllBytes(folder["out", "m.packed.safetensors"]);
        string line = $"  perplexity: {{{On}, increase: 1%}}";
        Assert.Null(Compress($"bits: 2\ngate:\n{line}\n"));
        var error = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.GateFailed, Severity.Error, folder["compress.yaml"], 3, line.IndexOf("1%", StringComparison.Ordinal) + 1), (error.Code, error.Severity, error.File, error.Line, error.Column));
        Assert.Matches(@"^the perplexity rises by \d+\.\d\d % \(from \d+\.\d{4} to \d+\.\d{4}\), the gate allows 1\.00 %; give more bits to the layers that cost most: "
            + @"\S+ \(KL \d\.\d{5} alone\), \S+ \(KL \d\.\d{5} alone\), \S+ \(KL \d\.\d{5} alone\)$", error.Message);
        Assert.Equal(before, File.ReadAllBytes(folder["out", "m.packed.safetensors"]));
    }

    [Fact]
    public void SeverityWarningLetsItPass()
    {
        Assert.NotNull(Compress($"bits: 2\ngate:\n  severity: warning\n  relativeError: 0.01\n  kl: {{{On}, max: 0.0001}}\n"));
        Assert.Equal(
            [(Severity.Warning, 4), (Severity.Warning, 5)], diagnostics.Items.Select(diagnostic => (diagnostic.Severity, diagnostic.Line)));
    }

    [Fact]
    public void ResultsAreCachedByContent()
    {
        string recipe = $"bits: 4\ngate:\n  perplexity: {{{On}, increase: 50%}}\n";
        Assert.Equal(6, Windows(() => Compress(recipe))); // three of the source, three of the packed model
        Assert.Equal(0, Windows(() => Compress(recipe)));
        Assert.Equal(0, Windows(() => Compress(recipe + "seed: 0\n")));
        Assert.Equal(3, Windows(() => Compress(recipe + "seed: 1\n"))); // of the packed model
        foreach (string entry in Directory.GetFiles(folder["cache"], "*.json", SearchOption.AllDirectories))
        {
            File.WriteAllText(entry, "{");
        }

        Assert.Equal(6, Windows(() => Compress(recipe + "seed: 1\n")));
    }

    [Theory]
    [InlineData("no such.txt", "cannot be read")]
    [InlineData("empty.txt", "too few tokens")]
    [InlineData("latin.txt", "not valid UTF-8")]
    [InlineData("wrong.ids", "wrong.ids")]
    public void TextThatDoesNotDoIsNamed(string text, string message)
    {
        File.WriteAllText(folder["empty.txt"], "\n \n");
        File.WriteAllBytes(folder["latin.txt"], [0x61, 0xE9, 0x62]);
        File.WriteAllText(folder["wrong.ids"], "1 2 70000");
        Assert.Null(Compress($"bits: 4\ngate:\n  kl: {{text: {text}, max: 1}}\n"));
        var error = Assert.Single(diagnostics.Items);
        Assert.Equal(text == "wrong.ids" ? Codes.TokenFileMalformed : Codes.EvaluationText, error.Code);
        Assert.Contains(message, error.ToString(), StringComparison.Ordinal);
        Assert.True(error.File == folder["compress.yaml"] || error.File == folder[text], error.ToString());
        Assert.False(File.Exists(folder["out", "m.packed.safetensors"]));
    }

    [Fact]
    public void WindowBeyondTheModelsPositionsIsRefused()
    {
        Assert.Null(Compress("gate:\n  kl: {text: held-out.txt, max: 1, window: 600}\n"));
        Assert.Contains("has positions for 512", Assert.Single(diagnostics.Items).Message, StringComparison.Ordinal);
    }

    private CompressionReport? Compress(string recipe)
    {
        File.WriteAllText(folder["compress.yaml"], recipe);
        var request = new CompressionRequest(folder["model.safetensors"], null, folder["out", "m.packed.safetensors"]) { Cache = new LayerCache(folder["cache"]) };
        return Compressor.Run(request, diagnostics, counter, CancellationToken.None);
    }

    private int Windows(Func<object?> run)
    {
        counter.Windows = 0;
        Assert.NotNull(run());
        return counter.Windows;
    }

    private sealed class Counter : IProgress<CompressionProgress>
    {
        public int Windows { get; set; }

        public void Report(CompressionProgress value) => Windows += value.Evaluation is null ? 0 : 1;
    }
}
