using System.Globalization;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Kernels;

namespace Compress.Bench;

/// <summary>
/// Dequantizing on one thread, beside writing as many floats. The decoded weights are compared with the originals before a time is printed.
/// </summary>
internal static class DequantizeBench
{
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
        report.Line("| matrix | bits/weight | ms | billion weights/s | of the limit |");
        report.Line("|---|---|---|---|---|");
        foreach (var row in PackedMatrices.All)
        {
            var tensor = row.Encode(weights, side, side);
            tensor.Dequantize(decoded);
            double error = Encoders.RelativeError(weights, decoded);
            if (!(error < 0.4))
            {
                throw new InvalidOperationException($"{row.Label}: relative MSE {error}");
            }

            double time = Timing.Measure(() => tensor.Dequantize(decoded), runs: 9).Median;
            report.Line($"| {row.Label} | {Number(tensor.BitsPerWeight, "F3")} | {Number(time * 1e3, "F2")} | {Number(count / time / 1e9, "F2")} "
                + $"| {Number(count * 4 / write / time, "P0")} |");
        }

        report.Save();
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
