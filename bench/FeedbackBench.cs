using System.Globalization;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Models;

namespace Compress.Bench;

/// <summary>
/// The perplexity of a language model, its matrices but for embedding and head rounded to few bits, with error feedback and without: by recipes, as
/// <c>compress run</c> does it.
/// </summary>
internal static class FeedbackBench
{
    private static readonly string[] Variants =
    [
        "",
        "clip: mse",
        "feedback: gptq\nactOrder: false",
        "feedback: gptq",
        "feedback: gptq\nclip: mse",
    ];

    public static void Run(string[] args)
    {
        if (args.Length < 3)
        {
            Console.WriteLine("usage: feedback MODEL CALIBRATION_TEXT HELD_OUT_TEXT [--unit paragraph] [--window N] [--limit N] [--bos false] [--out DIR]");
            return;
        }

        string[] paths = [.. args[..3].Select(Path.GetFullPath)];
        string unit = Option("--unit") ?? "document";
        var settings = new EvaluationSettings(paths[2])
        {
            Unit = Enum.Parse<TextUnit>(unit, ignoreCase: true),
            Window = Number("--window"),
            Limit = Number("--limit"),
            Bos = Option("--bos") != "false",
        };
        using var source = ModelFile.Open(paths[0]);
        using var evaluation = new ModelEvaluation(source, cache: null);
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(paths[0])), folder = Directory.CreateTempSubdirectory("compress-feedback-").FullName;
        var report = new BenchReport($"feedback-{name}", args);
        try
        {
            EvaluationResult? last = null;
            var rows = new List<string>();
            foreach (int bits in new[] { 2, 3, 4 })
            {
                foreach (string variant in Variants)
                {
                    var (packed, result) = Compress(paths, folder, unit, bits, variant, settings, evaluation);
                    last = result;
                    rows.Add(string.Create(CultureInfo.InvariantCulture,
                        $"| {bits} | {(variant.Length == 0 ? "rounded to nearest" : variant.Replace("\n", ", ", StringComparison.Ordinal))} | {packed:F3} | {result.Packed!.Value.Perplexity:F4} | {result.Kl:F4} |"));
                }
            }

            report.Line($"{name}: all matrices but embedding and head with `uniform`, groups of 64. Calibrated on 16,384 tokens of {Path.GetFileName(paths[1])}, measured on {Path.GetFileName(paths[2])} "
                + string.Create(CultureInfo.InvariantCulture, $"(unit {unit}, window {last!.Window}, limit {settings.Limit}). Source: perplexity {last.Source.Perplexity:F4}."));
            report.Line();
            report.Line("| bits | settings | bits/weight | perplexity | KL |");
            report.Line("|--:|---|--:|--:|--:|");
            rows.ForEach(report.Line);
            report.Save();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        string? Option(string option) => Array.IndexOf(args, option) is var at && at >= 0 ? args[at + 1] : null;

        int? Number(string option) => Option(option) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
    }

    private static (double BitsPerWeight, EvaluationResult Result) Compress(
        string[] paths, string folder, string unit, int bits, string variant, EvaluationSettings settings, ModelEvaluation evaluation)
    {
        string recipe = Path.Combine(folder, "compress.yaml"), packed = Path.Combine(folder, "packed.safetensors");
        string calibration = variant.Contains("gptq", StringComparison.Ordinal) ? $"calibration: {{ text: '{paths[1]}', tokens: 16384, unit: {unit} }}\n" : "";
        File.WriteAllText(recipe,
            $"version: 1\nmethod: uniform\nbits: {bits}\n{variant}\n{calibration}layers:\n  - match: ['*embed*', 'lm_head*']\n    keep: source\n");
        var diagnostics = new DiagnosticBag();
        var report = Compressor.Run(new(paths[0], recipe, packed), diagnostics, null, CancellationToken.None)
            ?? throw new InvalidOperationException(string.Join('\n', diagnostics.Items));
        var compressed = report.Layers.Where(layer => layer.Codec == "uniform").ToList();
        double weights = compressed.Sum(layer => layer.Shape.Aggregate(1.0, (product, d) => product * d));
        double stored = compressed.Sum(layer => layer.BitsPerWeight * layer.Shape.Aggregate(1.0, (product, d) => product * d));
        return (stored / weights, evaluation.Run(settings, packed, withDivergence: true, null, CancellationToken.None));
    }
}
