using System.Globalization;
using Compress.Core.Codecs.Higgs;
using Compress.Core.Tests.Infra;

namespace Compress.Bench;

/// <summary>The relative error and the size of HIGGS for every grid of two dimensions and more, and some of one, on weights of four distributions.</summary>
internal static class GridErrorBench
{
    private const int Rows = 2048, Columns = 4096;

    public static void Run(string[] args)
    {
        float[][] weights =
        [
            RandomWeights.Gaussian(Rows * Columns), RandomWeights.Laplace(Rows * Columns), RandomWeights.StudentT5(Rows * Columns), RandomWeights.LognormalMixture(Rows * Columns),
        ];
        var report = new BenchReport("grid-errors", args);
        report.Line($"Relative mean squared error of {Rows} × {Columns} weights, groups of 1024; bits per weight with scales and table.");
        report.Line();
        report.Line("| p | n | bits per weight | normal | Laplace | Student t, 5 | lognormal mixture |");
        report.Line("|---|---|---|---|---|---|---|");
        int[] line = [2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256];
        foreach (var (p, n) in line.Select(n => (1, n)).Concat(Grid.Dimensions.Where(p => p > 1).SelectMany(p => Grid.Sizes(p).Select(n => (p, n)))))
        {
            var encoder = Encoders.Of("higgs", ("p", p), ("n", n));
            double bits = encoder.Packed(weights[0], Rows, Columns).BitsPerWeight;
            var errors = weights.Select(values => encoder.RelativeError(values, Rows, Columns).ToString("G4", CultureInfo.InvariantCulture));
            report.Line(string.Create(CultureInfo.InvariantCulture, $"| {p} | {n} | {bits:F4} | {string.Join(" | ", errors)} |"));
        }

        report.Save();
    }
}
