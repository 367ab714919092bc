using System.Globalization;
using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// Encoding of a 4096 × 4096 matrix of Gaussian floats on one thread, beside llama.cpp's Q4_K and Q4_0 in the same run. What was encoded
/// is decoded and compared with the published error before a time is printed.
/// </summary>
internal static class EncodeBench
{
    private const int Side = 4096;

    // Method, settings, the published error for normal weights (docs/codecs), and the peer.
    private static readonly (string Codec, string Label, (string, object)[] Settings, double Error, Ggml.Format Peer)[] Ours =
    [
        ("higgs", "higgs p=1 n=4", [("bits", 2)], 0.1170, Ggml.Q4_K),
        ("higgs", "higgs p=1 n=16", [("bits", 4)], 0.0094, Ggml.Q4_K),
        ("higgs", "higgs p=1 n=256", [("bits", 8)], 0.0000412, Ggml.Q4_K),
        ("higgs", "higgs p=2 n=16", [("bits", 2), ("p", 2)], 0.1070, Ggml.Q4_K),
        ("higgs", "higgs p=2 n=64", [("bits", 3), ("p", 2)], 0.0295, Ggml.Q4_K),
        ("higgs", "higgs p=2 n=256", [("bits", 4), ("p", 2)], 0.00770, Ggml.Q4_K),
        ("uniform", "uniform 4 bits, groups of 64", [("bits", 4)], 0.00830, Ggml.Q4_0),
        ("uniform", "uniform 4 bits, symmetric, groups of 32", [("bits", 4), ("symmetric", true), ("groupSize", 32)], 0.00941, Ggml.Q4_0),
        ("uniform", "uniform 8 bits, groups of 64", [("bits", 8)], 2.87e-5, Ggml.Q4_0),
    ];

    public static void Run(string[] args)
    {
        float[] weights = RandomWeights.Gaussian(Side * Side);
        var report = new BenchReport("encode", args);
        report.Line($"Encoding, one thread, matrix {Side} × {Side} of Gaussian floats, median of 5 runs after warm-up. Peer: ggml of {Ggml.Version}.");
        report.Line();
        report.Line("| method | million weights/s | times peer | bits/weight | relative MSE |");
        report.Line("|---|---|---|---|---|");
        var peers = new[] { Ggml.Q4_K, Ggml.Q4_0 }.ToDictionary(format => format, format => Peer(report, format, weights));
        foreach (var row in Ours)
        {
            var codec = CodecTable.Find(row.Codec)!;
            var encoder = codec.Configure(new SettingValues(codec.Settings, row.Settings.ToDictionary(s => s.Item1, s => s.Item2)), 0);
            var matrix = WeightMatrix.FromArray(weights, Side, Side);
            var tensor = DecodedTensor.Open(encoder.Encode(matrix, CancellationToken.None), DType.F32, [Side, Side]);
            float[] decoded = new float[weights.Length];
            tensor.Dequantize(decoded);
            double error = Checked(row.Label, weights, decoded, row.Error);
            double rate = Rate(() => encoder.Encode(matrix, CancellationToken.None));
            Print(report, row.Label, rate, $"{Number(rate / peers[row.Peer], "F1")} × {row.Peer.Name}", tensor.BitsPerWeight, error);
        }

        report.Save();
    }

    private static double Peer(BenchReport report, Ggml.Format format, float[] weights)
    {
        Ggml.Initialize(format);
        byte[] packed = new byte[weights.Length];
        long bytes = Ggml.Quantize(format, weights, packed, Side, Side);
        double error = Checked(format.Name, weights, Ggml.Dequantize(format, packed, weights.Length), format == Ggml.Q4_K ? 0.00508 : 0.00739);
        double rate = Rate(() => Ggml.Quantize(format, weights, packed, Side, Side));
        Print(report, "llama.cpp " + format.Name, rate, "", 8.0 * bytes / weights.Length, error);
        return rate;
    }

    private static double Rate(Action encode) => (double)Side * Side / Timing.Measure(encode, runs: 5).Median;

    private static double Checked(string label, float[] weights, float[] decoded, double expected)
    {
        double error = Encoders.RelativeError(weights, decoded);
        return Math.Abs((error / expected) - 1) < 0.02
            ? error
            : throw new InvalidOperationException($"{label}: relative MSE {error}, expected {expected}");
    }

    private static void Print(BenchReport report, string label, double rate, string ratio, double bits, double error) =>
        report.Line($"| {label} | {Number(rate / 1e6, "F1")} | {ratio} | {Number(bits, "F4")} | {Number(error, "G4")} |");

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
