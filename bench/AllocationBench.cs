using System.Globalization;
using Compress.Core.Allocation;
using Compress.Runtime.Numerics;

namespace Compress.Bench;

/// <summary>The time that the exact choice of a form for each of 1,000 layers takes, beside its lower bound.</summary>
internal static class AllocationBench
{
    private const int Layers = 1000, Forms = 12;

    public static void Run(string[] args)
    {
        var report = new BenchReport("allocate", args);
        report.Line($"{Layers} layers × {Forms} forms of 1 to 8 bits, costs α t² with α over four decades, forms' errors and sizes not in line; sizes in bytes.");
        report.Line();
        report.Line("| widths of layers | bits/weight | seconds | used of the budget |");
        report.Line("|---|--:|--:|--:|");
        foreach (bool alike in new[] { true, false })
        {
            Choice[][] layers = [.. Enumerable.Range(0, Layers).Select(layer => Layer(layer, alike))];
            double weights = Enumerable.Range(0, Layers).Sum(layer => (double)Weights(layer, alike));
            foreach (double bits in new[] { 2.5, 3.25, 4, 5.5 })
            {
                long budget = (long)(weights * bits / 8);
                int[] solution = [];
                double seconds = Timing.Measure(() => solution = ExactAllocation.Solve(layers, budget)!, runs: 5).Median;
                double used = solution.Select((choice, layer) => (double)layers[layer][choice].Size).Sum() / budget;
                report.Line(string.Create(CultureInfo.InvariantCulture, $"| {(alike ? "7 shapes, as in a transformer" : "all different")} | {bits} | {seconds:F3} | {used:P4} |"));
            }
        }

        report.Save();
    }

    private static long Weights(int layer, bool alike) => alike ? 4096L * new[] { 4096, 1024, 1024, 4096, 14336, 14336, 14336 }[layer % 7] : 1_000_000 + (long)(Uniform(layer, 99) * 50_000_000);

    private static Choice[] Layer(int layer, bool alike)
    {
        long weights = Weights(layer, alike);
        double alpha = Math.Pow(10, (4 * Uniform(layer, 98)) - 3);
        return [.. Enumerable.Range(0, Forms).Select(form =>
        {
            double bits = 1 + (form * 7.0 / (Forms - 1));
            return new Choice((long)(weights * (bits + (16.0 / 1024)) / 8), alpha * Math.Pow(4, -bits) * (1.3 + (0.6 * Uniform(layer, form))));
        })];
    }

    private static double Uniform(int layer, int stream) => Signs.Word((ulong)stream, layer) / 18446744073709551616.0;
}
