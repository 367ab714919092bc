using System.Globalization;
using System.Runtime.InteropServices;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// The table of docs/codecs/crvq.md: CRVQ with several parts of critical channels and numbers of codebooks beside its base, BiLLM, and the other methods at their fewest
/// bits. All matrices are compressed, embedding and head included.
/// </summary>
internal static class CrvqBench
{
    private const string Outputs = "objective: outputs\n";

    public static void Run(string[] args)
    {
        if (args.Length < 3)
        {
            Console.WriteLine($"usage: crvq {QualityTrial.Usage} [--critical 1,2,4,8] [--codebooks 2,3,4] [--out DIR]");
            return;
        }

        using var trial = new QualityTrial(args);
        List<(string Name, Func<Quality> Measure)> ways =
        [
            ("AQLM, 1 × 8 bits", () => trial.Measure("method: aqlm\ncodebooks: 1\n" + Outputs)),
            ("HIGGS, p = 8, 1 bit", () => trial.Measure("method: higgs\np: 8\nbits: 1\n")),
            ("HIGGS, n = 2", () => trial.Measure("method: higgs\nbits: 1\n")),
            ("CVXQ, 1 bit", () => trial.Measure("method: cvxq\nbits: 1\nsensitivity: gradients\n")),
            ("BiLLM", () => BiLlm(trial)),
        ];
        foreach (int codebooks in Numbers(args, "--codebooks", "2,3,4"))
        {
            foreach (int critical in Numbers(args, "--critical", "1,2,4,8"))
            {
                ways.Add((string.Create(CultureInfo.InvariantCulture, $"CRVQ, {critical} %, {codebooks} codebooks"),
                    () => trial.Measure(string.Create(CultureInfo.InvariantCulture, $"method: crvq\ncritical: {critical}\ncodebooks: {codebooks}\n{Outputs}"))));
            }
        }

        var rows = ways.Select(way => (way.Name, Quality: way.Measure(), Seconds: trial.SlowestSeconds)).ToList();
        var report = new BenchReport($"crvq-{trial.Name}", args);
        report.Line($"{trial.Name}: every matrix compressed, embedding and head included; bits per weight with everything that is stored. Without fine-tuning. {trial.Description}");
        report.Line();
        report.Line("| | bits/weight | perplexity | KL | slowest matrix, s |");
        report.Line("|---|--:|--:|--:|--:|");
        foreach (var (name, quality, seconds) in rows)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"| {name} | {quality.BitsPerWeight:F3} | {quality.Perplexity:F2} | {quality.Kl:F4} | {seconds:F1} |"));
        }

        report.Save();
    }

    private static Quality BiLlm(QualityTrial trial)
    {
        long bits = 0, weights = 0;
        var arrays = new List<StoredArray>();
        using var statistics = trial.Statistics();
        var matrices = trial.Source.Tensors.Where(tensor => tensor.Shape.Count == 2).ToList();
        statistics.Prepare([.. matrices.Select(matrix => Need(matrix.Name))], null, CancellationToken.None);
        foreach (var tensor in trial.Source.Tensors)
        {
            float[] values = new float[tensor.Count];
            tensor.ReadRows(0, tensor.Rows, values);
            if (tensor.Shape.Count == 2)
            {
                _ = new BiLlm(values, tensor.Rows, tensor.Columns, statistics.Read(Need(tensor.Name), CancellationToken.None)?.InputSecondMoments);
                (bits, weights) = (bits + Bench.BiLlm.Bits(tensor.Rows, tensor.Columns), weights + values.Length);
            }

            arrays.Add(new(tensor.Name, DType.F32, tensor.Shape, 4L * values.Length, stream => stream.Write(MemoryMarshal.AsBytes<float>(values))));
        }

        return trial.Measure((double)bits / weights, stream => SafetensorsWriter.Write(stream, new Dictionary<string, string>(), arrays));

        static StatisticNeed Need(string name) => new(name, StatisticKinds.InputSecondMoments);
    }

    private static IEnumerable<int> Numbers(string[] args, string option, string otherwise) =>
        (QualityTrial.Option(args, option) ?? otherwise).Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture));
}
