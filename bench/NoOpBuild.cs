using System.Globalization;
using Microsoft.Build.Logging.StructuredLogger;
using static Compress.Bench.BenchProject;

namespace Compress.Bench;

/// <summary>What a build with nothing to do costs a project with ten models: the durations of our targets.</summary>
internal static class NoOpBuild
{
    private const int Models = 10;
    private const int Runs = 5;
    private const int Size = 64;

    public static void Run(string[] args)
    {
        var report = new BenchReport("noop", args);
        using var project = new BenchProject();
        Measure(project, report);
        report.Save();
    }

    private static void Measure(BenchProject project, BenchReport report)
    {
        for (int model = 0; model < Models; model++)
        {
            project.WriteModel(FormattableString.Invariant($"m{model}"), 1, Size, Size, model);
        }

        Check(OurTasks(project.Build("-restore")).Contains("CompressRunEngine"), "the first build compresses");
        project.Build();
        Target[][] runs = [.. Enumerable.Range(0, Runs).Select(_ => OurTargets(project.Build()))];
        string[] tasks = [.. OurTasks(project.Build())];
        Check(!tasks.Contains("CompressRunEngine"), "no process is started");

        report.Line($"A build with nothing to do of a project with {Models} models; {string.Join(", ", tasks)} is what runs of our tasks. Medians of {Runs} builds, each in processes of its own.");
        report.Line();
        report.Line("| target | milliseconds | min – max |");
        report.Line("|---|---|---|");
        foreach (string name in runs[0].Select(target => target.Name).Distinct())
        {
            Row(name, [.. runs.Select(run => Milliseconds(run.Where(target => target.Name == name)))]);
        }

        Row("all", [.. runs.Select(Milliseconds)]);

        void Row(string what, double[] times)
        {
            Array.Sort(times);
            report.Line(string.Create(CultureInfo.InvariantCulture, $"| {what} | {times[times.Length / 2]:0.0} | {times[0]:0.0} – {times[^1]:0.0} |"));
        }
    }
}
