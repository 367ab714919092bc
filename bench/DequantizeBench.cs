using System.Globalization;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Kernels;

namespace Compress.Bench;

/// <summary>
/// Dequantizing on one thread, beside writing as many floats. The decoded weights are compared with the originals before a time is printed.
/// </summary>
internal static class DequantizeBench
{
    // 512 KB for rows of 4096.
    private const int RowsInCache = 32;

    public static void Run(string[] args)
    {
        int side = PackedMatrices.Option(args, "--size", 4096);
        double count = (double)side * side;
        float[] weights = RandomWeights.Gaussian(side * side), decoded = new float[side * side];
        double write = MachineLimits.WriteBandwidth(4L * side * side);
        var report = new BenchReport("dequantize", args);
        report.Line($"Dequantizing a {side} × {side} matrix, one thread, kernel {Kernel.Best.Name}, median of 9 runs after warm-up. "
            + $"Filling as many floats: {Number(write / 4e9, "F2")} billion floats/s, the limit of all rows.");
        report.Line();
        report.Line($"The last column unpacks {RowsInCache} rows at a time into one buffer, which stays in the cache.");
        report.Line();
        report.Line("| matrix | bits/weight | ms | billion weights/s | of the limit | billion weights/s, in the cache | best run |");
        report.Line("|---|---|---|---|---|---|---|");
        foreach (var row in PackedMatrices.Chosen(args))
        {
            var tensor = row.Encode(weights, side, side);
            tensor.Dequantize(decoded);
            double error = Encoders.RelativeError(weights, decoded);
            if (!(error < 0.4))
            {
                throw new InvalidOperationException($"{row.Label}: relative MSE {error}");
            }

            double time = Timing.Measure(() => tensor.Dequantize(decoded), runs: 9).Median;
            var cached = InCache(tensor, decoded);
            report.Line($"| {row.Label} | {Number(tensor.BitsPerWeight, "F3")} | {Number(time * 1e3, "F2")} | {Number(count / time / 1e9, "F2")} "
                + $"| {Number(count * 4 / write / time, "P0")} | {Number(count / cached.Median / 1e9, "F2")} | {Number(count / cached.Min / 1e9, "F2")} |");
        }

        report.Save();
    }

    private static Timing InCache(PackedTensor tensor, float[] buffer) => Timing.Measure(
        () =>
        {
            for (int row = 0; row < tensor.Rows; row += RowsInCache)
            {
                tensor.DequantizeRows(row, Math.Min(RowsInCache, tensor.Rows - row), buffer);
            }
        },
        runs: 9);

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
