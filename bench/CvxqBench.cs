using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Compress.Core.Codecs;
using Compress.Core.Emit;
using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// The table of docs/codecs/cvxq.md: depths for each group beside equal depths, rounding, error feedback and HIGGS, at the same size. All matrices are compressed,
/// embedding and head included; groups have 128 weights, or a row if it has fewer.
/// </summary>
internal static class CvxqBench
{
    private const int GroupSize = 128;

    // Sizes asked for; rounding and error feedback have whole bits only, and come in between at the sizes that these take.
    private static readonly double[] Targets = [2.5, 3, 3.5, 4];

    private static readonly int[] WholeBits = [2, 3, 4];

    // HIGGS of one width: the largest grid that fits.
    private static readonly int[] Points = [32, 24, 20, 16, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3];

    private const string Cvxq = "method: cvxq\ngroupSize: 128\n";

    // The paper's groups and quantizer.
    private const string Paper = Cvxq + "quantizer: laplace\ngrouping: clusters\nsensitivity: gradients\n";

    public static void Run(string[] args)
    {
        if (args.Length < 3)
        {
            Console.WriteLine($"usage: cvxq {QualityTrial.Usage} [--bits N] [--out DIR]");
            return;
        }

        using var trial = new QualityTrial(args);
        double? only = QualityTrial.Option(args, "--bits") is { } bits ? double.Parse(bits, CultureInfo.InvariantCulture) : null;
        var report = new BenchReport($"cvxq-{trial.Name}", args);
        var grids = Points.ToDictionary(n => n, n => trial.BitsPerWeight($"method: higgs\nn: {n}"));
        var whole = only is null ? WholeBits.ToDictionary(width => trial.BitsPerWeight(Uniform(width)), width => width) : [];
        double[] targets = only is { } one ? [one] : [.. Targets.Concat(whole.Keys).Order()];
        var rows = targets.Select(target => Row(trial, target, whole.GetValueOrDefault(target), grids)).ToList();
        report.Line($"{trial.Name}: every matrix compressed, embedding and head included; bits per weight with everything that is stored. {trial.Description}");
        report.Line();
        report.Line("Each cell: perplexity, then KL in nats per token.");
        report.Line();
        report.Line("| bits/weight | " + string.Join(" | ", rows[0].Select(cell => cell.Name)) + " |");
        report.Line("|--:|" + string.Concat(rows[0].Select(_ => "--:|")));
        foreach (var (row, target) in rows.Zip(targets))
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"| {target:F3} | {string.Join(" | ", row.Select(Cell))} |"));
        }

        report.Line();
        report.Line("Most left of a budget by a method that has one: " + rows.Zip(targets)
            .SelectMany(pair => pair.First.Where(cell => cell is { HasBudget: true, Quality: not null }).Select(cell => 1 - (cell.Quality!.BitsPerWeight / pair.Second)))
            .Max().ToString("P3", CultureInfo.InvariantCulture) + ".");
        report.Save();
    }

    private static List<Column> Row(QualityTrial trial, double target, int whole, Dictionary<int, double> grids)
    {
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{target:F3} bits"));
        string budget = string.Create(CultureInfo.InvariantCulture, $"budget: {{ bits: {target:R} }}\n");
        int n = Points.FirstOrDefault(points => grids[points] <= target);
        return
        [
            new("RTN", whole == 0 ? null : trial.Measure(Uniform(whole)), false),
            new("GPTQ", whole == 0 ? null : trial.Measure(Uniform(whole) + "feedback: gptq\n"), false),
            new("compander, equal depths", EqualDepths(trial, target), false),
            new("CVXQ, compander", trial.Measure(budget + Cvxq + "quantizer: laplace\nsensitivity: gradients\n"), true),
            new("CVXQ", trial.Measure(budget + Cvxq + "sensitivity: gradients\n"), true),
            new("CVXQ, compander, clusters", trial.Measure(budget + Paper), true),
            new("the same, best of 4 rounds", trial.Measure(budget + Paper, rounds: 4), true),
            new("CVXQ, hidden", trial.Measure(budget + Cvxq + "sensitivity: hidden\n"), true),
            new("CVXQ, factored", trial.Measure(budget + Cvxq + "sensitivity: factored\n"), true),
            new("HIGGS", n == 0 ? null : trial.Measure($"method: higgs\nn: {n}\n"), false),
            new("HIGGS, budget", trial.Measure(budget.Replace(" }", ", sensitivity: { source: calibration } }", StringComparison.Ordinal) + "choose:\n  - method: higgs\n  - method: higgs\n    p: 2\n"), true),
        ];
    }

    private static string Uniform(int bits) => $"method: uniform\nbits: {bits}\ngroupSize: {GroupSize}\n";

    private static string Cell(Column column) => column.Quality is { } quality
        ? string.Create(CultureInfo.InvariantCulture, $"{quality.Perplexity:F3} {quality.Kl:F4}")
        : "";

    // The same quantizer and layout, with gradients that make all groups cost the same: those that fill up the size have a bit more.
    private static Quality EqualDepths(QualityTrial trial, double target)
    {
        double bytes = 0, weights = 0;
        var arrays = new List<StoredArray>();
        var codec = CodecTable.Find("cvxq")!;
        foreach (var tensor in trial.Source.Tensors)
        {
            float[] values = new float[tensor.Count];
            tensor.ReadRows(0, tensor.Rows, values);
            if (tensor.Shape.Count == 2)
            {
                int groups = (tensor.Columns + GroupSize - 1) / GroupSize;
                var settings = new Dictionary<string, object>
                {
                    ["bits"] = target - (24.0 * groups / tensor.Columns), ["groupSize"] = GroupSize, ["quantizer"] = "laplace", ["sensitivity"] = "gradients",
                };
                var encoder = codec.Configure(new SettingValues(codec.Settings, settings), 0);
                var statistics = new LayerStatistics { Tokens = 1, SquaredGradients = InverseVariances(values, tensor.Columns) };
                var packed = DecodedTensor.Open(encoder.Encode(WeightMatrix.FromArray(values, tensor.Rows, tensor.Columns), statistics, CancellationToken.None), DType.F32, tensor.Shape);
                packed.Dequantize(values = new float[values.Length]);
                (bytes, weights) = (bytes + packed.StoredBytes, weights + values.Length);
            }

            arrays.Add(new(tensor.Name, DType.F32, tensor.Shape, 4L * values.Length, stream => stream.Write(MemoryMarshal.AsBytes<float>(values))));
        }

        return trial.Measure(8 * bytes / weights, stream => SafetensorsWriter.Write(stream, new Dictionary<string, string>(), arrays));
    }

    private static double[] InverseVariances(float[] values, int columns)
    {
        double[] inverse = new double[values.Length];
        for (int row = 0; row < values.Length; row += columns)
        {
            for (int start = row; start < row + columns; start += GroupSize)
            {
                int length = Math.Min(GroupSize, row + columns - start);
                double deviation = TensorPrimitives.StdDev<float>(values.AsSpan(start, length));
                inverse.AsSpan(start, length).Fill(deviation == 0 ? 1 : 1 / (deviation * deviation));
            }
        }

        return inverse;
    }

    private sealed record Column(string Name, Quality? Quality, bool HasBudget);
}
