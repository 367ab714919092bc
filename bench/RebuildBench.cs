using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Build.Logging.StructuredLogger;
using static Compress.Bench.BenchProject;

namespace Compress.Bench;

/// <summary>
/// Real builds with a warm cache: a model of 1 GB after <c>git clean -xdf</c>, beside hashing and copying its files; and a recipe in which the rule of one
/// of 200 layers changes, beside one that changes to what is cached.
/// </summary>
internal static class RebuildBench
{
    private const int Runs = 5;

    public static void Run(string[] args)
    {
        var report = new BenchReport("rebuild", args);
        AfterClean(report);
        report.Line();
        OneLayer(report);
        report.Save();
    }

    private static void AfterClean(BenchReport report)
    {
        using var project = new BenchProject();
        string model = project.WriteModel("big", 64, 2048, 2048);
        project.Build("-restore");
        string packed = Directory.GetFiles(project.PathOf("obj"), "*.packed.safetensors", SearchOption.AllDirectories).Single();
        byte[] expected = SHA256.HashData(File.ReadAllBytes(packed));
        (long modelBytes, long packedBytes) = (new FileInfo(model).Length, new FileInfo(packed).Length);
        double[] builds = new double[Runs], hashing = new double[Runs];
        string copy = project.PathOf("copy");
        for (int run = 0; run < Runs; run++)
        {
            hashing[run] = 1000 * Timing.Measure(
                () =>
                {
                    using var file = new FileStream(model, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20, FileOptions.SequentialScan);
                    SHA256.HashData(file);
                    File.Delete(copy);
                    File.Copy(packed, copy);
                },
                runs: 1).Median;
            project.Clean();
            builds[run] = Milliseconds(OurTargets(project.Build("-restore")));
            Check(SHA256.HashData(File.ReadAllBytes(packed)).AsSpan().SequenceEqual(expected), "the packed file is the same");
        }

        Array.Sort(builds);
        Array.Sort(hashing);
        double peer = hashing[Runs / 2];
        report.Line(Invariant($"`dotnet build` of a model of {modelBytes:N0} bytes, packed {packedBytes:N0}, after `git clean -xdf`; all 64 layers cached; {Environment.ProcessorCount} threads."));
        report.Line(Invariant($"Medians of {Runs} builds, in turns with the peer. Of a build, the sum of our targets counts."));
        report.Line();
        report.Line("| what | milliseconds | min – max | times hashing and copying |");
        report.Line("|---|---|---|---|");
        report.Line(Invariant($"| hashing the model (SHA-256, one thread) and copying the packed file | {peer:0} | {hashing[0]:0} – {hashing[^1]:0} | 1.00 |"));
        report.Line(Invariant($"| building | {builds[Runs / 2]:0} | {builds[0]:0} – {builds[^1]:0} | {builds[Runs / 2] / peer:0.00} |"));
    }

    private static void OneLayer(BenchReport report)
    {
        using var project = new BenchProject();
        project.WriteModel("many", 200, 512, 1024);
        WriteRecipe(project, 4);
        project.Build("-restore");
        double[] cached = new double[Runs], changed = new double[Runs], layer = new double[Runs];
        int[] bits = [2, 3, 5, 6, 8];
        for (int run = 0; run < Runs; run++)
        {
            (changed[run], int misses, layer[run]) = BuildWith(project, bits[run]);
            Check(misses == 1, "one layer is encoded");
            (cached[run], misses, _) = BuildWith(project, 4);
            Check(misses == 0, "no layer is encoded");
        }

        foreach (double[] times in new[] { cached, changed, layer })
        {
            Array.Sort(times);
        }

        double limit = cached[Runs / 2] + layer[Runs / 2];
        report.Line(Invariant($"A recipe change that touches one of 200 layers of 512 × 1024, beside one back to what is cached. Medians of {Runs} builds each, in turns."));
        report.Line();
        report.Line("| what | milliseconds | min – max | over the cached build plus the layer |");
        report.Line("|---|---|---|---|");
        report.Line(Invariant($"| all layers cached | {cached[Runs / 2]:0} | {cached[0]:0} – {cached[^1]:0} | |"));
        report.Line(Invariant($"| encoding the layer, as the report has it | {layer[Runs / 2]:0.0} | {layer[0]:0.0} – {layer[^1]:0.0} | |"));
        report.Line(Invariant($"| one layer changed | {changed[Runs / 2]:0} | {changed[0]:0} – {changed[^1]:0} | {(changed[Runs / 2] / limit) - 1:P0} |"));
    }

    private static (double Milliseconds, int Misses, double Layer) BuildWith(BenchProject project, int bits)
    {
        WriteRecipe(project, bits);
        double milliseconds = Milliseconds(OurTargets(project.Build()));
        string file = Directory.GetFiles(project.PathOf("obj"), "*.report.json", SearchOption.AllDirectories).Single();
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        double layer = json.RootElement.GetProperty("layers").EnumerateArray()
            .Where(entry => entry.GetProperty("cache").GetString() == "miss").Sum(entry => entry.GetProperty("milliseconds").GetDouble());
        return (milliseconds, json.RootElement.GetProperty("cacheMisses").GetInt32(), layer);
    }

    private static void WriteRecipe(BenchProject project, int bits) => File.WriteAllText(project.PathOf("Models/compress.yaml"), Invariant($"""
        version: 1
        method: higgs
        layers:
          - match: layers.77.weight
            bits: {bits}

        """));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
