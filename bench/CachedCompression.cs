using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// A model of 1 GB whose layers are all in the cache, beside hashing its file. The least that a cached compression must do is to hash
/// the weights; it also reads and checks the entries and writes the packed file.
/// </summary>
internal static class CachedCompression
{
    private const int Layers = 64;
    private const int Rows = 2048;
    private const int Columns = 2048;

    public static void Run(string[] args)
    {
        string folder = Directory.CreateTempSubdirectory("compress-bench").FullName;
        try
        {
            var report = new BenchReport("cache", args);
            Measure(folder, report);
            report.Save();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Measure(string folder, BenchReport report)
    {
        string model = Path.Combine(folder, "model.safetensors");
        WriteModel(model);
        var request = new CompressionRequest(model, null, Path.Combine(folder, "out", "model.packed.safetensors"))
        {
            Cache = new LayerCache(Path.Combine(folder, "cache")),
        };
        var cold = Compress(request);
        Check(cold.CacheMisses == Layers, "the first run encodes every layer");
        byte[] expected = SHA256.HashData(File.ReadAllBytes(request.OutputPath));

        var hashing = Timing.Measure(() => Hash(model), runs: 5);
        var rebuilt = Timing.Measure(
            () =>
            {
                File.Delete(request.OutputPath);
                Check(Compress(request).CacheHits == Layers, "every layer is a hit");
            },
            runs: 5);
        Check(SHA256.HashData(File.ReadAllBytes(request.OutputPath)).AsSpan().SequenceEqual(expected), "the packed file is the same");
        var untouched = Timing.Measure(() => Check(Compress(request).Unchanged, "the output is left as it is"), runs: 5);

        long bytes = new FileInfo(model).Length;
        report.Line($"A model of {Layers} matrices of {Rows} × {Columns} float32, {bytes:N0} bytes; HIGGS, 4 bits; packed {cold.PackedBytes:N0} bytes; "
            + $"{Environment.ProcessorCount} threads. Nothing cached: {cold.Milliseconds / 1000.0:0.00} s. Medians of 5 runs.");
        report.Line();
        report.Line("| what | seconds | min – max | GB/s of source | times hashing |");
        report.Line("|---|---|---|---|---|");
        Row("hashing the file (SHA-256, one thread)", hashing);
        Row("compressing, all layers cached, output deleted", rebuilt);
        Row("compressing, all layers cached, output there", untouched);

        void Row(string what, Timing timing) => report.Line(string.Create(CultureInfo.InvariantCulture,
            $"| {what} | {timing.Median:0.000} | {timing.Min:0.000} – {timing.Max:0.000} | {bytes / timing.Median / 1e9:0.00} | {timing.Median / hashing.Median:0.00} |"));
    }

    private static void WriteModel(string path)
    {
        float[] weights = new float[Rows * Columns];
        var arrays = Enumerable.Range(0, Layers).Select(layer => new StoredArray(
            $"layers.{layer}.weight",
            DType.F32,
            [Rows, Columns],
            weights.LongLength * sizeof(float),
            stream =>
            {
                var random = new Random(layer);
                for (int i = 0; i < weights.Length; i++)
                {
                    weights[i] = random.NextSingle() - 0.5f;
                }

                stream.Write(MemoryMarshal.AsBytes<float>(weights));
            }));
        using var file = File.Create(path, 1 << 20);
        SafetensorsWriter.Write(file, new Dictionary<string, string>(), arrays);
    }

    private static void Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
        SHA256.HashData(file);
    }

    private static CompressionReport Compress(CompressionRequest request)
    {
        var diagnostics = new DiagnosticBag();
        return Compressor.Run(request, diagnostics, null, CancellationToken.None)
            ?? throw new InvalidOperationException(string.Join('\n', diagnostics.Items));
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"not so: {what}");
        }
    }
}
