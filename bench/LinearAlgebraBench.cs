using System.Globalization;
using Compress.Core.Codecs;
using Compress.Core.Codecs.Feedback;
using Compress.Core.Models;
using Compress.Core.Numerics.LinearAlgebra;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Bench;

/// <summary>
/// Cholesky and eigen-decomposition of an n × n matrix, and error feedback of an n × n layer, beside the machine's peak of double multiply-adds. Results are
/// checked before a time is printed.
/// </summary>
internal static class LinearAlgebraBench
{
    private const double Correlation = 0.9;

    public static void Run(string[] args)
    {
        int at = Array.IndexOf(args, "--size");
        int[] sizes = at >= 0 ? [.. args[at + 1].Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture))] : [288, 1024, 4096];
        double peak = MachineLimits.Measure().MultiplyAdds * 4;
        var report = new BenchReport("linear-algebra", args);
        report.Line($"Matrices n × n of doubles, {Number(Correlation, "F1")}^|i − j| with 1 % of damping. A thread does at most {Number(peak / 1e9, "F1")} billion multiply-adds of doubles a second, measured "
            + "with independent 256-bit multiply-adds in registers. Best of several runs. Feedback: uniform, 4 bits in groups of 64, of an n × n layer, factor included; plain: the same without.");
        report.Line();
        report.Line("| n | threads | Cholesky, s | of the peak | eigenvectors, s | feedback, s | of the peak | plain, s |");
        report.Line("|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (int n in sizes)
        {
            double[] moments = Encoders.Inputs(n, Correlation).InputSecondMoments!;
            foreach (int threads in Environment.ProcessorCount == 1 ? (int[])[1] : [1, Environment.ProcessorCount])
            {
                RuntimeOptions.MaxThreads = threads;
                report.Line(Row(n, threads, moments, peak * threads));
            }
        }

        report.Save();
    }

    private static string Row(int n, int threads, double[] moments, double peak)
    {
        int runs = n > 2000 ? 3 : 9;
        double[]? factor = null;
        int[] order = [.. Enumerable.Range(0, n)];
        double cholesky = Timing.Measure(() => factor = DampedCholesky.Upper(moments, order, 0.01, out _), runs, warmupSeconds: 1).Min;
        // R Rᵀ in its last row and column is the damped matrix's element.
        Check("Cholesky", factor![^1] * factor[^1], 1.01, 1e-12);

        SymmetricEigen? eigen = null;
        double vectors = Timing.Measure(() => eigen = SymmetricEigen.Of(moments, n), n > 2000 ? 1 : runs, warmupSeconds: 0).Min;
        Check("eigenvalues", eigen!.Values.Sum() / n, 1, 1e-9);

        float[] weights = RandomWeights.Gaussian(n * n);
        var matrix = WeightMatrix.FromArray(weights, n, n);
        var statistics = new LayerStatistics { Tokens = n, InputSecondMoments = moments };
        var fedBack = Encoders.Of("uniform", ("bits", 4), ("feedback", "gptq"), ("actOrder", false));
        var rounded = Encoders.Of("uniform", ("bits", 4));
        double feedback = Timing.Measure(() =>
        {
            SharedFactors.Instance.Clear();
            fedBack.Encode(matrix, statistics, CancellationToken.None);
        }, runs, warmupSeconds: 1).Min;
        double plain = Timing.Measure(() => rounded.Encode(matrix, null, CancellationToken.None), runs, warmupSeconds: 1).Min;
        double cube = (double)n * n * n;
        return $"| {n} | {threads} | {Number(cholesky, "G3")} | {Number(cube / 6 / cholesky / peak, "P0")} | {Number(vectors, "G3")} "
            + $"| {Number(feedback, "G3")} | {Number(cube * (1 / 6.0 + 1 / 2.0) / feedback / peak, "P0")} | {Number(plain, "G3")} |";
    }

    private static void Check(string what, double value, double expected, double tolerance)
    {
        if (Math.Abs(value - expected) > tolerance)
        {
            throw new InvalidOperationException($"{what}: {value}, expected {expected}");
        }
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
