using System.Globalization;
using System.IO.Compression;
using Compress.Core.Codecs;
using Compress.Core.Codecs.Entropy;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Entropy;

namespace Compress.Bench;

/// <summary>
/// Entropy coding of Gaussian matrices' codes: size beside their entropy, and decoding into packed codes on one thread beside zlib's, which is given the same plain codes.
/// What was decoded is compared before a time is printed.
/// </summary>
internal static class EntropyBench
{
    private static readonly (string Label, string Codec, (string, object)[] Settings)[] Matrices =
    [
        ("higgs p=1 n=4", "higgs", [("bits", 2)]),
        ("higgs p=1 n=8", "higgs", [("bits", 3)]),
        ("higgs p=1 n=16", "higgs", [("bits", 4)]),
        ("higgs p=1 n=256", "higgs", [("bits", 8)]),
        ("higgs p=2 n=256", "higgs", [("bits", 4), ("p", 2)]),
        ("uniform 4 bits, a scale a row", "uniform", [("bits", 4), ("symmetric", true), ("granularity", "channel")]),
        ("uniform 8 bits, a scale a row", "uniform", [("bits", 8), ("symmetric", true), ("granularity", "channel")]),
    ];

    public static void Run(string[] args)
    {
        int side = PackedMatrices.Option(args, "--size", 4096), threads = RuntimeOptions.MaxThreads;
        float[] weights = RandomWeights.Gaussian(side * side);
        RuntimeOptions.MaxThreads = 1;
        var report = new BenchReport("entropy", args);
        report.Line($"Codes of a {side} × {side} Gaussian matrix, entropy-coded. Decoding on one thread, packing the codes included, median of 9 runs after warm-up, in turns with zlib (level Optimal).");
        report.Line();
        report.Line("| matrix | bits/code, plain | entropy | coded | over the entropy | zlib | billion codes/s | times zlib |");
        report.Line("|---|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var (label, name, settings) in Matrices)
        {
            var codec = CodecTable.Find(name)!;
            var encoder = codec.Configure(new SettingValues(codec.Settings, settings.ToDictionary(s => s.Item1, s => s.Item2)), 0);
            var part = encoder.Encode(WeightMatrix.FromArray(weights, side, side), null, CancellationToken.None).Parts.Single(stored => stored.Codes is not null);
            var (rows, perRow, n) = part.Codes!;
            byte[] coded = AnsEncoder.Encode(part.Bytes, rows, perRow, n)!, zipped = Zip(part.Bytes), unzipped = new byte[part.Bytes.Length];
            var stream = new ByteView(MappedBytes.FromArray(coded), 0, coded.Length);
            if (!part.Bytes.AsSpan().SequenceEqual(new CodedRows(rows, perRow, n).Decode(stream)))
            {
                throw new InvalidOperationException($"{label}: other codes come out than went in");
            }

            var times = Timing.MeasureAll([() => new CodedRows(rows, perRow, n).Decode(stream), () => Unzip(zipped, unzipped)], runs: 9);
            double codes = (double)rows * perRow, entropy = Entropy(part.Bytes, rows, perRow, n), bits = 8 * coded.Length / codes;
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"| {label} | {8 * part.Bytes.Length / codes:F3} | {entropy:F4} | {bits:F4} | {(bits / entropy) - 1:P2} | {8 * zipped.Length / codes:F3} | {codes / times[0].Median / 1e9:F2} | {times[1].Median / times[0].Median:F1} |"));
        }

        RuntimeOptions.MaxThreads = threads;
        report.Save();
    }

    private static double Entropy(byte[] packed, int rows, int perRow, int n)
    {
        var layout = CodeLayout.Of(n);
        int rowBytes = (int)layout.RowBytes(perRow);
        double[] counts = new double[n];
        ushort[] codes = new ushort[perRow];
        for (int row = 0; row < rows; row++)
        {
            layout.Unpack(packed.AsSpan(row * rowBytes, rowBytes), codes);
            Array.ForEach(codes, code => counts[code]++);
        }

        double all = (double)rows * perRow;
        return counts.Where(count => count > 0).Sum(count => count / all * Math.Log2(all / count));
    }

    private static byte[] Zip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZLibStream(stream, CompressionLevel.Optimal))
        {
            zip.Write(bytes);
        }

        return stream.ToArray();
    }

    private static void Unzip(byte[] zipped, byte[] bytes)
    {
        using var zip = new ZLibStream(new MemoryStream(zipped), CompressionMode.Decompress);
        zip.ReadExactly(bytes);
    }
}
