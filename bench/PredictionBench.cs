using System.Globalization;
using Compress.Core.Allocation;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Runtime;

namespace Compress.Bench;

/// <summary>
/// What budgets predict beside what is measured on a held-out text, and budgets beside equal widths of the same size: by recipes, as <c>compress run</c> does it.
/// </summary>
internal sealed class PredictionBench : IDisposable
{
    private static readonly double[] Budgets = [3, 3.25, 3.5, 3.75, 4, 4.25, 4.5, 5, 5.5, 6, 6.5, 7, 8];

    private readonly string[] paths;
    private readonly string unit, folder = Directory.CreateTempSubdirectory("compress-prediction-").FullName, sensitivity;
    private readonly LayerCache cache;
    private readonly ModelFile source;
    private readonly LanguageModel model;
    private readonly IReadOnlyList<TokenWindow> windows;
    private readonly List<(double Predicted, double Measured, bool Holds)> points = [];

    private PredictionBench(string[] args)
    {
        paths = [.. args[..3].Select(Path.GetFullPath)];
        unit = QualityTrial.Option(args, "--unit") ?? "document";
        sensitivity = $"sensitivity: {{ standardError: {QualityTrial.Option(args, "--error") ?? "5%"}, tokens: {QualityTrial.Option(args, "--tokens") ?? "8192"} }}";
        cache = new(QualityTrial.Option(args, "--cache") is { } kept ? Path.GetFullPath(kept) : Path.Combine(folder, "cache"));
        source = ModelFile.Open(paths[0]);
        model = LanguageModel.Open(source);
        windows = TextTokens.Read(QualityTrial.Settings(args), Path.GetDirectoryName(source.Header.Files[0])!, model.MaxPositions, model.VocabularySize).Windows;
    }

    public static void Run(string[] args)
    {
        if (args.Length < 3)
        {
            Console.WriteLine("usage: prediction MODEL CALIBRATION_TEXT HELD_OUT_TEXT [--unit paragraph] [--window N] [--limit N] [--error 5%] [--tokens 8192] [--cache DIR] [--out DIR]");
            return;
        }

        using var bench = new PredictionBench(args);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(bench.paths[0]));
        var report = new BenchReport($"prediction-{name}", args);
        bench.Predict(report, name);
        bench.Compare(report);
        report.Save();
        if (QualityTrial.Option(args, "--plot") is { } plot)
        {
            File.WriteAllText(plot, ScatterPlot.Create($"{name}: increase of ln perplexity", "predicted", "measured", bench.points));
        }
    }

    public void Dispose()
    {
        source.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Predict(BenchReport report, string name)
    {
        report.Line($"{name}, HIGGS: sensitivities from {Path.GetFileName(paths[1])} ({sensitivity}), measured on {windows.Sum(window => window.Counted):N0} predictions of {Path.GetFileName(paths[2])}. "
            + "Nats per token. Sum of layers: what each costs alone, by the linearity theorem. Predicted: with the interaction of layers on the calibration text. "
            + "Δ ln PPL measured: mean of the file and of its mirror image 2W − Ŵ, without the part of first order, which is chance.");
        report.Line();
        report.Line("| budget | bits/weight | layers with t² > 0.01 | KL: sum of layers | predicted | measured | off | Δ ln PPL: sum of layers | predicted | measured | off | the file |");
        report.Line("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (double budget in Budgets)
        {
            var packed = Compress(string.Create(CultureInfo.InvariantCulture, $"budget: {{ bits: {budget}, {sensitivity} }}"));
            var allocation = packed.Allocation!;
            var (file, mirrored) = (Measure(mirrored: false), Measure(mirrored: true));
            double kl = file.Kl, rise = file.Packed.Mean - file.Source.Mean, mean = (rise + mirrored.Packed.Mean - mirrored.Source.Mean) / 2;
            var (predictedKl, predicted, interaction) = (allocation.PredictedKl!.Value, allocation.PredictedLnPerplexity!.Value, allocation.Interaction!.Value);
            points.Add((predicted, mean, allocation.LayersBeyond == 0));
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"| {budget} | {packed.BitsPerWeight:F4} | {allocation.LayersBeyond} of {allocation.Layers.Count} | {predictedKl / interaction:F6} | {predictedKl:F6} | {kl:F6} | {(predictedKl / kl) - 1:+0.0%;-0.0%} ")
                + string.Create(CultureInfo.InvariantCulture, $"| {predicted / interaction:F6} | {predicted:F6} | {mean:F6} | {(predicted / mean) - 1:+0.0%;-0.0%} | {rise:F6} |"));
        }

        report.Line();
    }

    private void Compare(BenchReport report)
    {
        report.Line("A budget beside equal widths of the same size:");
        report.Line();
        report.Line("| bits | bits/weight | KL | Δ ln PPL | budget: bits/weight | KL | Δ ln PPL |");
        report.Line("|--:|--:|--:|--:|--:|--:|--:|");
        foreach (int bits in new[] { 2, 3, 4, 5 })
        {
            var equal = Compress($"bits: {bits}");
            var flat = Measure(mirrored: false);
            var spread = Compress(string.Create(CultureInfo.InvariantCulture, $"budget: {{ size: {equal.PackedBytes}, {sensitivity} }}"));
            var chosen = Measure(mirrored: false);
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"| {bits} | {equal.BitsPerWeight:F4} | {flat.Kl:F6} | {flat.Packed.Mean - flat.Source.Mean:F6} | {spread.BitsPerWeight:F4} | {chosen.Kl:F6} | {chosen.Packed.Mean - chosen.Source.Mean:F6} |"));
        }
    }

    private CompressionReport Compress(string what)
    {
        string recipe = Path.Combine(folder, "compress.yaml");
        File.WriteAllText(recipe, $"{what}\n{(what.StartsWith("budget", StringComparison.Ordinal) ? $"calibration: {{ text: '{paths[1]}', unit: {unit} }}\n" : "")}");
        return QualityTrial.Compress(new(paths[0], recipe, Packed) { Cache = cache });
    }

    private ComparedSums Measure(bool mirrored)
    {
        using var packed = PackedModel.OpenFile(Packed);
        if (!mirrored)
        {
            return Evaluator.Compare(model, LanguageModel.Open(source, packed), windows, null, CancellationToken.None);
        }

        var image = LanguageModel.Open(source);
        foreach (string name in image.TensorNames.Where(name => packed[name].Codec != "keep"))
        {
            image.UseValues(name, new GridProbe(source[name], 0, "", () => packed[name]).Changed(mirrored: true));
        }

        return Evaluator.Compare(model, image, windows, null, CancellationToken.None);
    }

    private string Packed => Path.Combine(folder, "packed.safetensors");
}
