using System.Globalization;

namespace Compress.Bench;

/// <summary>
/// The tables and the plot of docs/codecs/higgs.md: HIGGS with the same width for every matrix, with widths chosen for a budget of the same size, each with
/// error feedback, and llama.cpp's types. All matrices are compressed, embedding and head included; vectors stay as they are.
/// </summary>
internal static class HiggsBench
{
    private const string Method = "method: higgs\n", Feedback = "feedback: gptq\n";

    private static readonly double[] Targets = [2, 2.5, 3, 3.25, 3.5, 4, 5];

    // In the plot, of the source's perplexity: what is worse is of no use, and would leave no room for the rest.
    private const double MostDrawn = 3;

    // The table of a larger grid takes as much more of a small model.
    private const double TableBits = 0.01;

    // Grids of one width for all, from the most points to the least.
    private static readonly int[] Points = [32, 16, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4];

    private const string AnyGrid = "choose:\n  - method: higgs\n  - method: higgs\n    p: 2\n";

    private const string AnyGridFeedback = "choose:\n  - method: higgs\n    feedback: gptq\n  - method: higgs\n    p: 2\n    feedback: gptq\n";

    public static void Run(string[] args)
    {
        if (args.Length < 3)
        {
            Console.WriteLine($"usage: higgs {QualityTrial.Usage} [--plot FILE.svg] [--out DIR]");
            return;
        }

        using var trial = new QualityTrial(args);
        var report = new BenchReport($"higgs-{trial.Name}", args);
        // What scales and the grid add to the bits of codes.
        double overhead = trial.BitsPerWeight(Recipe("n: 8")) - 3;
        var rows = Targets.Select(target => Budgeted(trial, target, overhead)).ToList();
        var peers = Ggml.IsThere ? LlamaTypes.All.Where(format => LlamaTypes.Fits(trial.Source, format)).ToList() : [];
        var peerRows = peers.Select(format => (Format: format, Quality: LlamaTypes.Measure(trial, format), Replaced: LlamaTypes.Replaced(trial.Source, format))).ToList();

        report.Line($"{trial.Name}: every matrix compressed, embedding and head included. {trial.Description}");
        report.Line();
        report.Line("| bits | one width | | | budget, no data | | | budget, text | | | one width, feedback | | budget, feedback | | | budget, p = 1 and 2 | | | the same, feedback | | |");
        report.Line("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        report.Line("| | bits/weight | perplexity | KL | bits/weight | perplexity | KL | bits/weight | perplexity | KL | perplexity | KL | bits/weight | perplexity | KL | bits/weight | perplexity | KL | bits/weight | perplexity | KL |");
        foreach (var row in rows)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"| {row.Target} (n = {row.N}) | {Cells(row.OneWidth)} | {Cells(row.NoData)} | {Cells(row.Budget)} | {Figures(row.OneWidthFeedback)} | {Cells(row.BudgetFeedback)} | {Cells(row.AnyGrid)} | {Cells(row.AnyGridFeedback)} |"));
        }

        report.Line();
        report.Line($"llama.cpp's types, by ggml of {Ggml.Version}; importance the same for all weights where a type asks for it.");
        report.Line();
        report.Line("| type | matrices of another type | bits/weight | perplexity | KL |");
        report.Line("|---|--:|--:|--:|--:|");
        foreach (var (format, quality, replaced) in peerRows)
        {
            report.Line($"| {format.Name} | {replaced.Replaced} of {replaced.All} | {Cells(quality)} |");
        }

        report.Save();
        if (QualityTrial.Option(args, "--plot") is { } file)
        {
            var plot = new SvgPlot($"{trial.Name}: size and perplexity on held-out text", "bits per weight, all matrices", "perplexity");
            plot.Add(new("HIGGS, one width", "#7f7f7f", true, Of(trial, rows, row => row.OneWidth)));
            plot.Add(new("HIGGS, budget (p = 1 and 2)", "#1f77b4", true, Of(trial, rows, row => row.AnyGrid)));
            plot.Add(new("the same with feedback", "#2ca02c", true, Of(trial, rows, row => row.AnyGridFeedback)));
            plot.Add(new("llama.cpp", "#d62728", false, [.. peerRows.Where(row => row.Quality.BitsPerWeight < 7).Select(row => (row.Quality.BitsPerWeight, row.Quality.Perplexity, row.Format.Name))]));
            File.WriteAllText(file, plot.Draw(trial.SourcePerplexity, "source"));
        }
    }

    private static Row Budgeted(QualityTrial trial, double target, double overhead)
    {
        // What is stored counts: the largest grid that fits, and the budget that it takes.
        var (n, bits) = Points.Select(points => (points, trial.BitsPerWeight(Recipe($"n: {points}")))).First(grid => grid.Item2 <= target + overhead + TableBits);
        string most = string.Create(CultureInfo.InvariantCulture, $"{Math.Max(bits, target + overhead):F6}"), budget = $"budget: {{ bits: {most}, sensitivity: {{ source: calibration }} }}\n";
        return new(
            target,
            n,
            trial.Measure(Recipe($"n: {n}")),
            trial.Measure(Recipe($"budget: {{ bits: {most} }}\n")),
            trial.Measure(Recipe(budget)),
            trial.Measure(Recipe($"n: {n}\n{Feedback}")),
            trial.Measure(Recipe(budget + Feedback)),
            trial.Measure(Recipe(budget + AnyGrid)),
            trial.Measure(Recipe(budget + AnyGridFeedback)));
    }

    private static string Recipe(string settings) => settings.Contains("choose", StringComparison.Ordinal) ? settings : Method + settings;

    private static List<(double X, double Y, string Label)> Of(QualityTrial trial, List<Row> rows, Func<Row, Quality> quality) =>
        [.. rows.Select(quality).Where(q => q.Perplexity < MostDrawn * trial.SourcePerplexity).DistinctBy(q => q.BitsPerWeight).Select(q => (q.BitsPerWeight, q.Perplexity, ""))];

    private static string Cells(Quality quality) => string.Create(CultureInfo.InvariantCulture, $"{quality.BitsPerWeight:F3} | {Figures(quality)}");

    private static string Figures(Quality quality) => string.Create(CultureInfo.InvariantCulture, $"{quality.Perplexity:F3} | {quality.Kl:F4}");

    private sealed record Row(
        double Target, int N, Quality OneWidth, Quality NoData, Quality Budget, Quality OneWidthFeedback, Quality BudgetFeedback, Quality AnyGrid, Quality AnyGridFeedback);
}
