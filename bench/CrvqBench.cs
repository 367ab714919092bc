using System.Globalization;
using System.Runtime.InteropServices;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// The tables of docs/codecs/crvq.md: CRVQ with several parts of critical channels and numbers of codebooks beside its base, BiLLM, and the other methods at their fewest
/// bits, without fine-tuning and with it. All matrices are compressed, embedding and head included.
/// </summary>
internal static class CrvqBench
{
    private const string Outputs = "objective: outputs\n";

    private const int DefaultCritical = 2, DefaultCodebooks = 4;

    public static void Run(string[] args)
    {
        if (args.Length < 3)
        {
            Console.WriteLine($"usage: crvq {QualityTrial.Usage} [--critical 2,8,4,1] [--codebooks 4,3,2] [--aqlm-bits 2] [--crvq-bits 1.3] [--steps N] [--block-steps N] [--out DIR]");
            return;
        }

        using var trial = new QualityTrial(args);
        string steps = QualityTrial.Option(args, "--steps") ?? "200", blockSteps = QualityTrial.Option(args, "--block-steps") ?? "50";
        string tuning = trial.Recovery($"tokens: 65536, steps: {steps}, learningRate: 0.02, blocks: {{ steps: {blockSteps}, learningRate: 0.02 }}");
        var report = new BenchReport($"crvq-{trial.Name}", args);
        string comparison = Row("BiLLM", BiLlm(trial)) + " | | | | | | |";
        report.Line($"{trial.Name}: every matrix compressed, embedding and head included; bits per weight with everything that is stored. {trial.Description} "
            + $"Fine-tuned on 65,536 tokens of the calibration text: {blockSteps} steps for each block, then {steps} for the model as a whole, with a learning rate of 0.02. Memory is managed, garbage included, at its peak: of all layers' encoding, two at once, and of fine-tuning.");
        report.Line();
        report.Line("| | bits/weight | perplexity | KL | fine-tuned | KL | slowest matrix, s | encoding, s | MB | fine-tuning, s | MB |");
        report.Line("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        report.Line(comparison);
        foreach (var (name, recipe) in Ways(args))
        {
            report.Line(Row(trial, name, recipe, tuning));
            report.Save(); // it takes long: rows are there as they come
        }
    }

    private static IEnumerable<(string Name, string Recipe)> Ways(string[] args)
    {
        yield return ("AQLM, 1 × 8 bits", "method: aqlm\ncodebooks: 1\n" + Outputs);
        foreach (string method in new[] { "aqlm", "crvq" })
        {
            foreach (string bits in (QualityTrial.Option(args, $"--{method}-bits") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                yield return ($"{method.ToUpperInvariant()}, bits: {bits}", $"method: {method}\nbits: {bits}\n{Outputs}");
            }
        }

        yield return ("HIGGS, p = 8, 1 bit", "method: higgs\np: 8\nbits: 1\n");
        yield return ("HIGGS, n = 2", "method: higgs\nbits: 1\n");
        yield return ("CVXQ, 1 bit", "method: cvxq\nbits: 1\nsensitivity: gradients\n");
        foreach (int codebooks in Numbers(args, "--codebooks", "4,3,2"))
        {
            foreach (int critical in Numbers(args, "--critical", "2,8,4,1").Where(critical => critical == DefaultCritical || codebooks == DefaultCodebooks))
            {
                yield return (
                    string.Create(CultureInfo.InvariantCulture, $"CRVQ, {critical} %, {codebooks} codebooks"),
                    string.Create(CultureInfo.InvariantCulture, $"method: crvq\ncritical: {critical}\ncodebooks: {codebooks}\n{Outputs}"));
            }
        }
    }

    private static string Row(QualityTrial trial, string name, string recipe, string tuning)
    {
        var plain = trial.Measure(recipe);
        var (slowest, encoding, memory) = (trial.SlowestSeconds, trial.Seconds, trial.PeakBytes);
        var tuned = trial.Measure(recipe + tuning);
        return Row(name, plain) + string.Create(CultureInfo.InvariantCulture,
            $" {tuned.Perplexity:F2} | {tuned.Kl:F4} | {slowest:F1} | {encoding:F0} | {memory / 1e6:F0} | {trial.Seconds:F0} | {trial.PeakBytes / 1e6:F0} |");
    }

    private static string Row(string name, Quality quality) =>
        string.Create(CultureInfo.InvariantCulture, $"| {name} | {quality.BitsPerWeight:F3} | {quality.Perplexity:F2} | {quality.Kl:F4} |");

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
