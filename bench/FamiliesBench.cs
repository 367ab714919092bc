using System.Globalization;

namespace Compress.Bench;

/// <summary>
/// Size and perplexity of a language model by every recipe of a folder, without training and with it, and which of them are dominated: another is no larger and no worse. Recipes of one family
/// share the part of their names before the first dash.
/// </summary>
internal static class FamiliesBench
{
    private static readonly string[] Colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f", "#e377c2", "#bcbd22"];

    public static void Run(string[] args)
    {
        if (args.Length < 4)
        {
            Console.WriteLine("usage: families MODEL CALIBRATION_TEXT HELD_OUT_TEXT RECIPES_FOLDER [--unit paragraph] [--window N] [--limit N] [--steps N] [--plot FILE.svg] [--out DIR]");
            return;
        }

        using var trial = new QualityTrial(args);
        string steps = QualityTrial.Option(args, "--steps") ?? "200", recovery = trial.Recovery($"steps: {steps}");
        var rows = new List<Row>();
        foreach (string file in Directory.GetFiles(Path.GetFullPath(args[3]), "*.yaml").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(file), recipe = File.ReadAllText(file).Replace("version: 1\n", "", StringComparison.Ordinal);
            Console.Error.WriteLine(name);
            rows.Add(new(name, trial.Measure(recipe), trial.Measure(recipe + recovery)));
        }

        var report = new BenchReport($"families-{trial.Name}", args);
        report.Line($"{trial.Name}: every matrix compressed, embedding and head included; bits per weight with everything that is stored. {trial.Description} Trained on the calibration text for {steps} steps.");
        report.Line();
        report.Line("| recipe | bits/weight | perplexity | KL | dominated by | with recover | KL | dominated by |");
        report.Line("|---|--:|--:|--:|---|--:|--:|---|");
        foreach (var row in rows)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Plain.BitsPerWeight:F2} | {row.Plain.Perplexity:F3} | {row.Plain.Kl:F4} | {Dominating(rows, row, r => r.Plain)} | {row.Recovered.Perplexity:F3} | {row.Recovered.Kl:F4} | {Dominating(rows, row, r => r.Recovered)} |"));
        }

        report.Save();
        if (QualityTrial.Option(args, "--plot") is { } plot)
        {
            File.WriteAllText(plot, Plot(rows, trial));
        }
    }

    // The best of those that are no larger and no worse.
    private static string Dominating(List<Row> rows, Row row, Func<Row, Quality> of) => rows
        .Where(other => other != row && of(other).BitsPerWeight <= of(row).BitsPerWeight && of(other).Perplexity <= of(row).Perplexity)
        .MinBy(other => of(other).Perplexity)?.Name ?? "";

    private static string Plot(List<Row> rows, QualityTrial trial)
    {
        var plot = new SvgPlot($"{trial.Name}: size and perplexity; pale without recover", "bits per weight, all matrices", "perplexity");
        foreach (var (i, family) in rows.GroupBy(row => row.Name.Split('-')[0]).Index())
        {
            plot.Add(new(family.Key, Colors[i % Colors.Length] + "60", true, [.. family.Select(row => (row.Plain.BitsPerWeight, row.Plain.Perplexity, ""))]));
            plot.Add(new(family.Key + ", recover", Colors[i % Colors.Length], true, [.. family.Select(row => (row.Recovered.BitsPerWeight, row.Recovered.Perplexity, ""))]));
        }

        return plot.Draw(trial.SourcePerplexity, "source");
    }

    private sealed record Row(string Name, Quality Plain, Quality Recovered);
}
