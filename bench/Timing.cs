using System.Diagnostics;

namespace Compress.Bench;

/// <summary>Times an action: warm-up first, then the median, minimum and maximum of several runs.</summary>
internal readonly record struct Timing(double Median, double Min, double Max)
{
    /// <summary>Runs the action until it is warm (tiered JIT included), then measures. All times are in seconds.</summary>
    public static Timing Measure(Action action, int runs = 15, double warmupSeconds = 0.5) =>
        MeasureAll([action], runs, warmupSeconds)[0];

    /// <summary>
    /// Runs the actions in turns, so that a busy machine slows all of them alike: what is to be compared is measured together.
    /// </summary>
    public static Timing[] MeasureAll(Action[] actions, int runs = 15, double warmupSeconds = 0.5)
    {
        double[][] times = [.. actions.Select(_ => new double[runs])];
        foreach (var action in actions)
        {
            var clock = Stopwatch.StartNew();
            do
            {
                action();
            }
            while (clock.Elapsed.TotalSeconds < warmupSeconds);
        }

        for (int run = 0; run < runs; run++)
        {
            for (int i = 0; i < actions.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                actions[i]();
                times[i][run] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }
        }

        return [.. times.Select(all => Of(all))];
    }

    private static Timing Of(double[] times)
    {
        Array.Sort(times);
        return new(times[times.Length / 2], times[0], times[^1]);
    }
}
