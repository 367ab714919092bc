using System.Globalization;

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
            Console.WriteLine($"usage: feedback {QualityTrial.Usage} [--out DIR]");
            return;
        }

        using var trial = new QualityTrial(args);
        var report = new BenchReport($"feedback-{trial.Name}", args);
        var rows = new List<string>();
        foreach (string method in new[] { "uniform", "higgs" })
        {
            foreach (int bits in new[] { 2, 3, 4 })
            {
                foreach (string variant in Variants.Where(variant => method == "uniform" || !variant.Contains("clip", StringComparison.Ordinal)))
                {
                    var quality = trial.Measure($"method: {method}\nbits: {bits}\n{variant}\nlayers:\n  - match: ['*embed*', 'lm_head*']\n    keep: source\n");
                    rows.Add(string.Create(CultureInfo.InvariantCulture,
                        $"| {method} | {bits} | {(variant.Length == 0 ? "rounded to nearest" : variant.Replace("\n", ", ", StringComparison.Ordinal))} | {quality.BitsPerWeight:F3} | {quality.Perplexity:F4} | {quality.Kl:F4} |"));
                }
            }
        }

        report.Line($"{trial.Name}: all matrices but embedding and head, `uniform` in groups of 64, `higgs` of 1024. {trial.Description}");
        report.Line();
        report.Line("| method | bits | settings | bits/weight | perplexity | KL |");
        report.Line("|---|--:|---|--:|--:|--:|");
        rows.ForEach(report.Line);
        report.Save();
    }
}
