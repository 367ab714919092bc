using System.Globalization;
using System.Numerics.Tensors;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Kernels;

namespace Compress.Bench;

/// <summary>
/// Products with packed matrices beside the same product in floats by <see cref="TensorPrimitives.Dot(ReadOnlySpan{float}, ReadOnlySpan{float})"/>,
/// row by row, and beside llama.cpp's, in the same run. Every product is checked against the dequantized matrix before a time is printed.
/// </summary>
internal static class MultiplyBench
{
    /// <summary>What docs/codecs promise, relative to ‖row‖ · ‖x‖.</summary>
    private const double Tolerance = 2e-6;

    public static void Run(string[] args)
    {
        int side = PackedMatrices.Option(args, "--size", 4096), batch = PackedMatrices.Option(args, "--batch", 16);
        double count = (double)side * side;
        RuntimeOptions.MaxThreads = PackedMatrices.Option(args, "--threads", 1);
        float[] weights = RandomWeights.Gaussian(side * side);
        float[] x = RandomWeights.Gaussian(side * batch), y = new float[side * batch];
        var limits = MachineLimits.Measure();
        var dots = new List<double>();
        var report = new BenchReport("multiply", args);
        report.Line($"Products of a {side} × {side} matrix with a vector, {RuntimeOptions.MaxThreads} thread(s), kernel {Kernel.Best.Name}, "
            + "median of 25 runs after warm-up, in turns with the peer: `TensorPrimitives.Dot` on the float32 matrix.");
        report.Line();
        report.Line($"A thread here does at most {Number(limits.VectorOperations / 1e9, "F1")} billion vector operations, "
            + $"{Number(limits.MultiplyAdds / 1e9, "F1")} billion multiply-adds of 256 bits, {Number(limits.Loads / 1e9, "F1")} billion loads a second. "
            + "The limit of a kernel is the slowest of: packed bytes over the bandwidth measured on as many bytes, its operations, its multiply-adds, "
            + "its loads into vector registers (counted for the 256-bit kernel).");
        report.Line();
        report.Line($"| matrix | bits/weight | ms | billion weights/s | times Dot | limit, ms | of the limit | by | {batch} vectors, billion products/s |");
        report.Line("|---|---|---|---|---|---|---|---|---|");
        foreach (var row in PackedMatrices.Chosen(args))
        {
            var tensor = row.Encode(weights, side, side);
            Check(tensor, x.AsSpan(0, side), y.AsSpan(0, side), row.Label);
            var together = Timing.MeasureAll(
                [() => tensor.Multiply(x.AsSpan(0, side), y.AsSpan(0, side)), () => Dots(weights, x.AsSpan(0, side), y)], runs: 25, warmupSeconds: 0.3);
            double time = together[0].Median, dot = together[1].Median;
            dots.Add(dot);
            double batched = Timing.Measure(() => tensor.Multiply(x, y, batch), runs: 5).Median;
            var (limit, by) = Limit(row, tensor, limits, count);
            report.Line($"| {row.Label} | {Number(tensor.BitsPerWeight, "F3")} | {Milliseconds(time)} | {Number(count / time / 1e9, "F1")} "
                + $"| {Number(dot / time, "F2")} | {Milliseconds(limit)} | {Number(limit / time, "P0")} | {by} "
                + $"| {Number(batch * count / batched / 1e9, "F1")} |");
        }

        Peers(report, weights, x.AsSpan(0, side).ToArray());
        dots.Sort();
        report.Line();
        report.Line($"The peer took {Milliseconds(dots[0])} to {Milliseconds(dots[^1])} ms, in the middle {Milliseconds(dots[dots.Count / 2])} ms, "
            + $"{Number(count / dots[dots.Count / 2] / 1e9, "F1")} billion weights/s.");
        report.Save();
    }

    // llama.cpp rounds the vector to 8 bits first; ours multiplies with the floats.
    private static void Peers(BenchReport report, float[] weights, float[] x)
    {
        if (!Ggml.IsThere)
        {
            report.Line();
            report.Line("llama.cpp is not here to compare with: run bench/get-peers.sh.");
            return;
        }

        foreach (var format in new[] { Ggml.Q4_0, Ggml.Q4_K })
        {
            Ggml.Initialize(format);
            byte[] packed = new byte[weights.Length];
            int rows = weights.Length / x.Length;
            Array.Resize(ref packed, (int)Ggml.Quantize(format, weights, packed, rows, x.Length));
            float[] y = new float[rows], expected = new float[rows];
            Ggml.Multiply(format, packed, x, y);
            Dots(Ggml.Dequantize(format, packed, weights.Length), x, expected);
            double error = TensorPrimitives.Distance<float>(y, expected) / TensorPrimitives.Norm<float>(expected);
            if (!(error < 0.02))
            {
                throw new InvalidOperationException($"llama.cpp {format.Name}: relative error {error}");
            }

            var together = Timing.MeasureAll([() => Ggml.Multiply(format, packed, x, y), () => Dots(weights, x, expected)], runs: 25, warmupSeconds: 0.3);
            double time = together[0].Median, dot = together[1].Median;
            report.Line($"| llama.cpp {format.Name} × Q8 ({Ggml.Version}), relative error of its product {Number(error, "E1")} | "
                + $"{Number(8.0 * packed.Length / weights.Length, "F3")} | {Milliseconds(time)} | {Number(weights.Length / time / 1e9, "F1")} "
                + $"| {Number(dot / time, "F2")} | | | | |");
        }
    }

    private static void Dots(float[] weights, ReadOnlySpan<float> x, Span<float> y)
    {
        for (int row = 0; row < weights.Length / x.Length; row++)
        {
            y[row] = TensorPrimitives.Dot(weights.AsSpan(row * x.Length, x.Length), x);
        }
    }

    private static (double Seconds, string By) Limit(PackedMatrices row, PackedTensor tensor, MachineLimits limits, double count) =>
        new (double Seconds, string By)[]
        {
            (tensor.StoredBytes / MachineLimits.ReadBandwidth(tensor.StoredBytes), "bytes"),
            (count / 32 * row.Operations / limits.VectorOperations, "operations"),
            (count / 8 / limits.MultiplyAdds, "multiply-adds"),
            (count / 32 * row.Loads / limits.Loads, "loads"),
        }.Max();

    private static void Check(PackedTensor tensor, ReadOnlySpan<float> x, Span<float> y, string label)
    {
        tensor.Multiply(x, y);
        float[] row = new float[tensor.Columns];
        for (int r = 0; r < tensor.Rows; r++)
        {
            tensor.DequantizeRows(r, 1, row);
            double sum = 0;
            for (int k = 0; k < row.Length; k++)
            {
                sum += (double)row[k] * x[k];
            }

            double size = (double)TensorPrimitives.Norm<float>(row) * TensorPrimitives.Norm(x);
            if (!(Math.Abs(y[r] - sum) <= Tolerance * size))
            {
                throw new InvalidOperationException($"{label}, row {r}: {y[r]}, expected {sum}");
            }
        }
    }

    private static string Milliseconds(double seconds) => Number(seconds * 1e3, "F3");

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
