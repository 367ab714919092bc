using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Compress.Core.Emit;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Bench;

/// <summary>
/// How long a packed model takes from its path to the first row of its first tensor. Sparse files of 1 GB, HIGGS at 4 bits:
/// the time must follow the header, not the weights. Beside it the least that any reader must do: reading the header's bytes.
/// </summary>
internal static class Load
{
    private const long ModelBytes = 1L << 30;
    private const int Columns = 1024;
    private const int GroupSize = 1024;

    public static void Run(string[] args)
    {
        if (args is ["child", var path])
        {
            Console.WriteLine(Milliseconds(FirstRow(path)));
            return;
        }

        var report = new BenchReport("load", args);
        report.Line("From a path to the first row of a tensor; packed models of 1 GB, HIGGS at 4 bits. Times in milliseconds.");
        report.Line();
        report.Line("| tensors | header KB | median | min | max | reading the header's bytes alone | first in a fresh process, JIT included |");
        report.Line("|--:|--:|--:|--:|--:|--:|--:|");
        foreach (int tensors in (int[])[30, 300, 3000, 20_000])
        {
            string file = Path.Combine(Path.GetTempPath(), $"compress-load-{Environment.ProcessId}.safetensors");
            try
            {
                Write(file, tensors);
                Report(report, file, tensors);
            }
            finally
            {
                File.Delete(file);
            }
        }

        report.Save();
    }

    private static void Report(BenchReport report, string file, int tensors)
    {
        var open = Timing.Measure(() => FirstRow(file));
        var read = Timing.Measure(() => ReadHeaderBytes(file));
        double[] fresh = [.. Enumerable.Range(0, 5).Select(_ => Fresh(file)).Order()];
        report.Line(string.Create(CultureInfo.InvariantCulture,
            $"| {tensors} | {ReadHeaderBytes(file) / 1024} | {open.Median * 1e3:F2} | {open.Min * 1e3:F2} | {open.Max * 1e3:F2} "
            + $"| {read.Median * 1e3:F3} | {fresh[2]:F1} |"));
    }

    private static double FirstRow(string file)
    {
        long start = Stopwatch.GetTimestamp();
        using var model = PackedModel.OpenFile(file);
        var tensor = model["layers.0.weight"];
        float[] row = new float[tensor.Columns];
        tensor.DequantizeRows(0, 1, row);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return row.All(value => value == 0) ? seconds : throw new InvalidOperationException("the row is not zero");
    }

    private static int ReadHeaderBytes(string file)
    {
        using var stream = File.OpenRead(file);
        using var reader = new BinaryReader(stream);
        return reader.ReadBytes((int)reader.ReadInt64()).Length;
    }

    private static double Fresh(string file)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["load", "child", file]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        return double.Parse(process.StandardOutput.ReadToEnd(), CultureInfo.InvariantCulture);
    }

    private static void Write(string file, int tensors)
    {
        int rows = (int)(ModelBytes / tensors / ((Columns / 2) + (2 * Columns / GroupSize)));
        string[] shared = ["grid.p1n16"];
        var description = JsonSerializer.SerializeToElement(new
        {
            codec = "higgs",
            dtype = "F32",
            shape = new[] { rows, Columns },
            p = 1,
            n = 16,
            groupSize = GroupSize,
            seed = 0,
            scaleExponent = 0,
            shared,
        });
        var entries = Enumerable.Range(0, tensors).Select(i =>
        {
            string name = $"layers.{i}.weight";
            return new PackedEntry(name, description,
            [
                Zeros(PackedFormat.PartName(name, "codes"), DType.U8, [rows, Columns / 2]),
                Zeros(PackedFormat.PartName(name, "scales"), DType.F16, [rows, Columns / GroupSize]),
                Zeros(PackedFormat.SharedName("grid.p1n16"), DType.BF16, [16, 1]),
            ]);
        });
        using var stream = File.Create(file);
        PackedContainer.Write(stream, entries, new Dictionary<string, string>());
        stream.SetLength(stream.Position);
    }

    private static StoredArray Zeros(string name, DType type, long[] shape)
    {
        long bytes = type.SizeInBytes() * shape.Aggregate((a, b) => a * b);
        return new StoredArray(name, type, shape, bytes, stream => stream.Seek(bytes, SeekOrigin.Current)); // a hole: takes no disk
    }

    private static string Milliseconds(double seconds) => (seconds * 1e3).ToString("F2", CultureInfo.InvariantCulture);
}
