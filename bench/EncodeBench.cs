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
    private const int Side = 4096, Rounds = 7;

    // Method, settings, the published error for normal weights (docs/codecs), and the peer.
    private static readonly (string Codec, string Label, (string, object)[] Settings, double Error, Ggml.Format Peer)[] Ours =
    [
        ("higgs", "higgs p=1 n=4", [("bits", 2)], 0.1170, Ggml.Q4_K),
        ("higgs", "higgs p=1 n=16", [("bits", 4)], 0.0094, Ggml.Q4_K),
        ("higgs", "higgs p=1 n=256", [("bits", 8)], 0.0000412, Ggml.Q4_K),
        ("higgs", "higgs p=2 n=16", [("bits", 2), ("p", 2)], 0.1070, Ggml.Q4_K),
        ("higgs", "higgs p=2 n=64", [("bits", 3), ("p", 2)], 0.0295, Ggml.Q4_K),
        ("higgs", "higgs p=2 n=256", [("bits", 4), ("p", 2)], 0.00770, Ggml.Q4_K),
        ("higgs", "higgs p=2 n=88", [("n", 88), ("p", 2)], 0.0217, Ggml.Q4_K),
        ("higgs", "higgs p=3 n=512", [("bits", 3), ("p", 3)], 0.0270, Ggml.Q4_K),
        ("higgs", "higgs p=3 n=4096", [("bits", 4), ("p", 3)], 0.00694, Ggml.Q4_K),
        ("higgs", "higgs p=4 n=256", [("bits", 2), ("p", 4)], 0.0964, Ggml.Q4_K),
        ("higgs", "higgs p=4 n=4096", [("bits", 3), ("p", 4)], 0.0254, Ggml.Q4_K),
        ("higgs", "higgs p=8 n=256", [("bits", 1), ("p", 8)], 0.321, Ggml.Q4_K),
        ("uniform", "uniform 4 bits, groups of 64", [("bits", 4)], 0.00830, Ggml.Q4_0),
        ("uniform", "uniform 4 bits, symmetric, groups of 32", [("bits", 4), ("symmetric", true), ("groupSize", 32)], 0.00941, Ggml.Q4_0),
        ("uniform", "uniform 8 bits, groups of 64", [("bits", 8)], 2.87e-5, Ggml.Q4_0),
    ];

    public static void Run(string[] args)
    {
        float[] weights = RandomWeights.Gaussian(Side * Side);
        List<Contestant> contestants = [Peer(Ggml.Q4_K, weights, 0.00508), Peer(Ggml.Q4_0, weights, 0.00739)];
        contestants.AddRange(Ours.Select(ours => Own(ours.Codec, ours.Label, ours.Settings, ours.Error, ours.Peer.Name, weights)));

        // In turns, so that a busy moment of the machine hits all alike.
        foreach (var contestant in contestants)
        {
            Timing.Measure(contestant.Encode, runs: 1); // warm-up
        }

        for (int round = 0; round < Rounds; round++)
        {
            foreach (var contestant in contestants)
            {
                contestant.Seconds.Add(Timing.Measure(contestant.Encode, runs: 1, warmupSeconds: 0).Median);
            }
        }

        Print(new BenchReport("encode", args), contestants);
    }

    private static void Print(BenchReport report, List<Contestant> contestants)
    {
        report.Line($"Encoding, one thread, matrix {Side} × {Side} of Gaussian floats, median of {Rounds} rounds. Peer: ggml of {Ggml.Version}.");
        report.Line();
        report.Line("| method | million weights/s | times peer | bits/weight | relative MSE |");
        report.Line("|---|---|---|---|---|");
        foreach (var contestant in contestants)
        {
            var peer = contestants.Find(other => other.Label == contestant.Peer);
            string ratio = peer is null ? "" : $"{Number(peer.Median / contestant.Median, "F1")} × {peer.Label}";
            report.Line($"| {contestant.Label} | {Number(Side * Side / contestant.Median / 1e6, "F1")} | {ratio} "
                + $"| {Number(contestant.BitsPerWeight, "F4")} | {Number(contestant.Error, "G4")} |");
        }

        report.Save();
    }

    private static Contestant Own(string name, string label, (string, object)[] settings, double expected, string peer, float[] weights)
    {
        var codec = CodecTable.Find(name)!;
        var encoder = codec.Configure(new SettingValues(codec.Settings, settings.ToDictionary(s => s.Item1, s => s.Item2)), 0);
        var matrix = WeightMatrix.FromArray(weights, Side, Side);
        var tensor = DecodedTensor.Open(encoder.Encode(matrix, null, CancellationToken.None), DType.F32, [Side, Side]);
        float[] decoded = new float[weights.Length];
        tensor.Dequantize(decoded);
        double error = Checked(label, weights, decoded, expected);
        return new(label, peer, () => encoder.Encode(matrix, null, CancellationToken.None), tensor.BitsPerWeight, error);
    }

    private static Contestant Peer(Ggml.Format format, float[] weights, double expected)
    {
        Ggml.Initialize(format);
        byte[] packed = new byte[weights.Length];
        long bytes = Ggml.Quantize(format, weights, packed, Side, Side);
        double error = Checked(format.Name, weights, Ggml.Dequantize(format, packed, weights.Length), expected);
        return new(format.Name, null, () => Ggml.Quantize(format, weights, packed, Side, Side), 8.0 * bytes / weights.Length, error);
    }

    private static double Checked(string label, float[] weights, float[] decoded, double expected)
    {
        double error = Encoders.RelativeError(weights, decoded);
        return Math.Abs((error / expected) - 1) < 0.02
            ? error
            : throw new InvalidOperationException($"{label}: relative MSE {error}, expected {expected}");
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private sealed record Contestant(string Label, string? Peer, Action Encode, double BitsPerWeight, double Error)
    {
        public List<double> Seconds { get; } = [];

        public double Median => Seconds.Order().ElementAt(Seconds.Count / 2);
    }
}
