using System.Diagnostics;
using System.Runtime.InteropServices;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;
using Microsoft.Build.Logging.StructuredLogger;

namespace Compress.Bench;

/// <summary>
/// A project in a folder of its own that compresses models with the targets and tasks of this repository. Builds run in processes of their own, and
/// the durations of our targets are those of the binary log, which writing the log itself makes longer.
/// </summary>
internal sealed class BenchProject : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("compress-bench").FullName;

    public BenchProject()
    {
        string repository = Repository();
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name; // bin/<configuration>/<framework>/
        Directory.CreateDirectory(PathOf("Models"));
        File.WriteAllText(PathOf("Program.cs"), "return;");
        File.WriteAllText(PathOf("App.csproj"), $"""
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

    /// <summary>A path in the project.</summary>
    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>Writes <c>Models/NAME.safetensors</c>, of matrices <c>layers.N.weight</c> of random weights.</summary>
    /// <returns>Its path.</returns>
    public string WriteModel(string name, int layers, int rows, int columns, int seed = 0)
    {
        string path = PathOf($"Models/{name}.safetensors");
        float[] weights = new float[rows * columns];
        var arrays = Enumerable.Range(0, layers).Select(layer => new StoredArray(
            FormattableString.Invariant($"layers.{layer}.weight"),
            DType.F32,
            [rows, columns],
            weights.LongLength * sizeof(float),
            stream =>
            {
                var random = new Random((seed * layers) + layer);
                for (int i = 0; i < weights.Length; i++)
                {
                    weights[i] = random.NextSingle() - 0.5f;
                }

                stream.Write(MemoryMarshal.AsBytes<float>(weights));
            }));
        using var file = File.Create(path, 1 << 20);
        SafetensorsWriter.Write(file, new Dictionary<string, string>(), arrays);
        return path;
    }

    /// <summary>Builds it.</summary>
    /// <returns>The binary log.</returns>
    public Build Build(params string[] arguments)
    {
        string log = PathOf("build.binlog");
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

    /// <summary>Removes what <c>git clean -xdf</c> would, but for the cache.</summary>
    public void Clean()
    {
        foreach (string output in new[] { "obj", "bin" })
        {
            Directory.Delete(PathOf(output), recursive: true);
        }
    }

    public static Target[] OurTargets(Build build) =>
        [.. All<Target>(build).Where(target => target.Name.TrimStart('_').StartsWith("Compress", StringComparison.Ordinal))];

    public static IEnumerable<string> OurTasks(Build build) => All<Microsoft.Build.Logging.StructuredLogger.Task>(build)
        .Where(task => task.Name.StartsWith("Compress.Tasks.", StringComparison.Ordinal))
        .Select(task => task.Name["Compress.Tasks.".Length..]);

    public static double Milliseconds(IEnumerable<Target> targets) => targets.Sum(target => target.Duration.TotalMilliseconds);

    public static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"not so: {what}");
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static List<T> All<T>(Build build)
        where T : TimedNode
    {
        var found = new List<T>();
        build.VisitAllChildren<T>(found.Add);
        return found;
    }

    private static string Repository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Compress.Tasks.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("benchmarks run from inside the repository");
    }
}
