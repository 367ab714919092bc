using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>Two versions of the package in one build.</summary>
public sealed class SeveralPackages
{
    // What matters in nodes and editors that live on: one process builds with both.
    [Fact]
    public void PKG_07_OldAndNewVersionServeOneProcess()
    {
        string folder = TestRun.Current.NewFolder();
        string next = TestRun.Current.Version + ".1";
        TestRun.Current.Pack(next, Path.Combine(folder, "next"));
        using var old = Library("Old", TestRun.Current.Version, folder);
        using var updated = Library("Updated", next, folder);
        string both = Path.Combine(folder, "both.proj"), binlog = Path.Combine(folder, "both.binlog");
        File.WriteAllText(both, """
            <Project>
              <Target Name="Build">
                <MSBuild Projects="Old/Old.csproj" />
                <MSBuild Projects="Updated/Updated.csproj" />
              </Target>
            </Project>
            """);

        var (exitCode, output) = Tool.Run("dotnet", ["msbuild", both, "-m:1", "-nr:false", "-bl:" + binlog], folder, TestRun.Current.Packages);
        var build = new BuildResult(exitCode, output, binlog).MustSucceed();
        Assert.Equal(2, build.LoadedTasks.Count);
        Assert.Contains($"/{TestRun.Current.Version}/", build.LoadedTasks[0].Replace('\\', '/'));
        Assert.Contains($"/{next}/", build.LoadedTasks[1].Replace('\\', '/'));
        var engines = build.All<Microsoft.Build.Logging.StructuredLogger.Task>("CompressRunEngine");
        Assert.Equal([false, true], engines.Select(engine => engine.CommandLineArguments.Contains(next, StringComparison.Ordinal)));

        static TestProject Library(string name, string version, string folder)
        {
            const string latest = "<RestoreAdditionalProjectSources>../next</RestoreAdditionalProjectSources>";
            var library = new TestProject(
                name, $"""<PackageReference Update="Compress.Tasks" Version="{version}" /><CompressedModel Include="tiny.safetensors" />""", latest, folder);
            Weights.Write(library.PathOf("tiny.safetensors"));
            library.Restore();
            return library;
        }
    }
}
