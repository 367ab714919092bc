using System.Diagnostics;

namespace Compress.Bench;

/// <summary>Times an action: warm-up first, then the median, minimum and maximum of several runs.</summary>
internal readonly record struct Timing(double Median, double Min, double Max)
{
    /// <summary>Runs the action until it is warm (tiered JIT included), then measures. All times are in seconds.</summary>
    public static Timing Measure(Action action, int runs = 15, double warmupSeconds = 0.5)
    {
        var clock = Stopwatch.StartNew();
        do
        {
            action();
        }
        while (clock.Elapsed.TotalSeconds < warmupSeconds);

        double[] times = new double[runs];
        for (int run = 0; run < runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            times[run] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(times);
        return new(times[runs / 2], times[0], times[^1]);
    }
}
