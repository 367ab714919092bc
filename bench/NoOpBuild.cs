using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;
using Microsoft.Build.Logging.StructuredLogger;

namespace Compress.Bench;

/// <summary>
/// What a build with nothing to do costs a project with ten models: the durations of our targets, as the binary log has them, which writing
/// the log itself makes longer. The targets and tasks are those of this repository.
/// </summary>
internal static class NoOpBuild
{
    private const int Models = 10;
    private const int Runs = 5;
    private const int Size = 64;

    public static void Run(string[] args)
    {
        string folder = Directory.CreateTempSubdirectory("compress-bench").FullName;
        try
        {
            var report = new BenchReport("noop", args);
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
        WriteProject(folder);
        Check(OurTasks(Build(folder, "-restore")).Contains("CompressRunEngine"), "the first build compresses");
        Build(folder);
        Target[][] runs = [.. Enumerable.Range(0, Runs).Select(_ => OurTargets(Build(folder)))];
        string[] tasks = [.. OurTasks(Build(folder))];
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

    private static void WriteProject(string folder)
    {
        string repository = Repository();
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name; // bin/<configuration>/<framework>/
        for (int model = 0; model < Models; model++)
        {
            float[] weights = new float[Size * Size];
            var random = new Random(model);
            Array.ForEach(Enumerable.Range(0, weights.Length).ToArray(), i => weights[i] = random.NextSingle() - 0.5f);
            Directory.CreateDirectory(Path.Combine(folder, "Models"));
            using var file = File.Create(Path.Combine(folder, "Models", FormattableString.Invariant($"m{model}.safetensors")));
            SafetensorsWriter.Write(
                file,
                new Dictionary<string, string>(),
                [new StoredArray("weight", DType.F32, [Size, Size], weights.LongLength * sizeof(float), stream => stream.Write(MemoryMarshal.AsBytes<float>(weights)))]);
        }

        File.WriteAllText(Path.Combine(folder, "Program.cs"), "return;");
        File.WriteAllText(Path.Combine(folder, "App.csproj"), $"""
            <Project>
              <PropertyGroup>
                <_CompressTasksAssembly>{repository}/src/Tasks/bin/{configuration}/netstandard2.0/Compress.Tasks.dll</_CompressTasksAssembly>
                <_CompressEnginePath>{repository}/src/Cli/bin/{configuration}/net10.0/compress.dll</_CompressEnginePath>
              </PropertyGroup>
              <Import Project="Sdk.props" Sdk="Microsoft.NET.Sdk" />
              <Import Project="{repository}/build/Compress.Tasks.props" />
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <CompressCacheDir>cache</CompressCacheDir>
              </PropertyGroup>
              <ItemGroup>
                <CompressedModel Include="Models/*.safetensors" />
                <Reference Include="{repository}/src/Runtime/bin/{configuration}/net10.0/Compress.Runtime.dll" />
              </ItemGroup>
              <Import Project="Sdk.targets" Sdk="Microsoft.NET.Sdk" />
              <Import Project="{repository}/build/Compress.Tasks.targets" />
            </Project>
            """);
    }

    private static Build Build(string folder, params string[] arguments)
    {
        string log = Path.Combine(folder, "build.binlog");
        var start = new ProcessStartInfo("dotnet", ["msbuild", "-nologo", "-v:q", "-nr:false", "-bl:" + log, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        // dotnet run leaves MSBuild's settings behind
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }

        using var build = Process.Start(start)!;
        string output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Check(build.ExitCode == 0, "the build succeeds: " + output);
        return BinaryLog.ReadBuild(log);
    }

    private static Target[] OurTargets(Build build) => [.. All<Target>(build).Where(target => target.Name.TrimStart('_').StartsWith("Compress", StringComparison.Ordinal))];

    private static IEnumerable<string> OurTasks(Build build) =>
        All<Microsoft.Build.Logging.StructuredLogger.Task>(build).Where(task => task.Name.StartsWith("Compress.Tasks.", StringComparison.Ordinal)).Select(task => task.Name["Compress.Tasks.".Length..]);

    private static List<T> All<T>(Build build)
        where T : TimedNode
    {
        var found = new List<T>();
        build.VisitAllChildren<T>(found.Add);
        return found;
    }

    private static double Milliseconds(IEnumerable<Target> targets) => targets.Sum(target => target.Duration.TotalMilliseconds);

    private static string Repository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Compress.Tasks.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("benchmarks run from inside the repository");
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"not so: {what}");
        }
    }
}
