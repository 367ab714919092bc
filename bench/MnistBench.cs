using System.Globalization;
using Compress.Core.Compression;
using Compress.Runtime;

namespace Compress.Bench;

/// <summary>Size and accuracy of a network for MNIST by every recipe of a folder. Recipes of one family share the part of their names before the first dash.</summary>
internal static class MnistBench
{
    private static readonly string[] Colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f", "#e377c2"];

    public static void Run(string[] args)
    {
        if (args.Length < 2)
        {
            Console.WriteLine("usage: mnist MODEL.safetensors RECIPES_FOLDER [--plot FILE.svg] [--out DIR]; the test set stands beside the model");
            return;
        }

        (string path, string recipes) = (Path.GetFullPath(args[0]), Path.GetFullPath(args[1]));
        var data = Digits.Read(Path.GetDirectoryName(path)!);
        string folder = Directory.CreateTempSubdirectory("compress-mnist-").FullName, packed = Path.Combine(folder, "packed.safetensors");
        try
        {
            double source = Accuracy(path, data);
            long bytes = new FileInfo(path).Length;
            var rows = new List<Row>();
            foreach (string recipe in Directory.GetFiles(recipes, "*.yaml").Order(StringComparer.Ordinal))
            {
                var report = QualityTrial.Compress(new(path, recipe, packed));
                rows.Add(new(Path.GetFileNameWithoutExtension(recipe), new FileInfo(packed).Length, report.BitsPerWeight, Accuracy(packed, data)));
            }

            Write(new("mnist", args), rows, bytes, source, data.Labels.Length);
            if (QualityTrial.Option(args, "--plot") is { } file)
            {
                File.WriteAllText(file, Plot(rows, source));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Accuracy(string path, Digits data)
    {
        using var model = PackedModel.OpenFile(path);
        return new MnistNetwork(model).Accuracy(data);
    }

    private static void Write(BenchReport report, List<Row> rows, long bytes, double source, int images)
    {
        report.Line(string.Create(CultureInfo.InvariantCulture, $"Accuracy on {images:N0} images of MNIST's test set. Source: {bytes:N0} bytes, {source:P2}."));
        report.Line();
        report.Line("| recipe | file, bytes | times smaller | bits/weight | accuracy | points lost |");
        report.Line("|---|--:|--:|--:|--:|--:|");
        foreach (var row in rows)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture,
                $"| {row.Name} | {row.Bytes:N0} | {bytes / (double)row.Bytes:F1} | {row.BitsPerWeight:F3} | {row.Accuracy:P2} | {100 * (source - row.Accuracy):F2} |"));
        }

        report.Save();
    }

    private static string Plot(List<Row> rows, double source)
    {
        var plot = new SvgPlot("MNIST: size and errors on the test set", "bits per weight, all matrices", "errors, %");
        var families = rows.GroupBy(row => row.Name.Split('-')[0]).ToList();
        for (int i = 0; i < families.Count; i++)
        {
            plot.Add(new(families[i].Key, Colors[i % Colors.Length], true, [.. families[i].Select(row => (row.BitsPerWeight, 100 * (1 - row.Accuracy), ""))]));
        }

        return plot.Draw(100 * (1 - source), "source");
    }

    private sealed record Row(string Name, long Bytes, double BitsPerWeight, double Accuracy);
}
