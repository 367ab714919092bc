using System.Globalization;

namespace Compress.Build.Tests.Infra;

/// <summary>
/// One run of these tests: packs Compress.Tasks and Compress.Runtime once, under a version of this run's own, into a feed of its own.
/// NuGet's cache is the run's own too: an earlier run's packages cannot be mistaken for this one's.
/// </summary>
internal sealed class TestRun
{
    private static readonly Lazy<TestRun> Lazily = new(() => new TestRun());
    private int projects;

    private TestRun()
    {
        Version = "1.0.0-t" + DateTime.UtcNow.ToString("yyyyMMddHHmmssfff", CultureInfo.InvariantCulture);
        Root = Path.Combine(Path.GetTempPath(), "compress-build-tests", Version);
        Directory.CreateDirectory(Feed);
        DeleteEarlierRuns();
        Pack(Version, Feed);
        // Stop the search for a parent's settings here, and restore from nowhere else.
        File.WriteAllText(Path.Combine(Root, "Directory.Build.props"), "<Project />");
        File.WriteAllText(Path.Combine(Root, "Directory.Build.targets"), "<Project />");
        File.WriteAllText(Path.Combine(Root, "Directory.Packages.props"), "<Project />");
        File.WriteAllText(Path.Combine(Root, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="feed" value="{Feed}" />
                <add key="machine" value="{MachinePackages}" />
              </packageSources>
              <fallbackPackageFolders><clear /></fallbackPackageFolders>
            </configuration>
            """);
    }

    public static TestRun Current => Lazily.Value;

    public string Version { get; }

    public string Root { get; }

    public string Feed => Path.Combine(Root, "feed");

    public string Packages => Path.Combine(Root, "packages");

    public static string Repository { get; } = FindRepository();

    /// <summary>Where the SDK finds a package or two of Microsoft's, for single-file apps. Whoever built this has them.</summary>
    public static string MachinePackages =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>A new folder for a project, with a name that not every tool can take.</summary>
    public string NewFolder() =>
        Path.Combine(Root, $"sp ace ünï日本 (#{Interlocked.Increment(ref projects)}) it's");

    private static string FindRepository()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Compress.Tasks.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("These tests run from inside the repository.");
    }

    // The test host does not wait for a run to clean up behind itself. Runs of today may still be going on.
    private void DeleteEarlierRuns()
    {
        foreach (string run in Directory.GetDirectories(Path.GetDirectoryName(Root)!).Where(run => Directory.GetCreationTimeUtc(run) < DateTime.UtcNow.AddDays(-1)))
        {
            try
            {
                Directory.Delete(run, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another run deletes it at the same time, or it is another user's.
            }
        }
    }

    /// <summary>Packs what is built, and returns the path of Compress.Tasks.</summary>
    public string Pack(string version, string folder, string properties = "")
    {
        // bin/<configuration>/<framework>/
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string project = Path.Combine(Root, Guid.NewGuid().ToString("N") + ".proj");
        File.WriteAllText(project, $"""
            <Project>
              <Target Name="Pack">
                <MSBuild Projects="{Repository}/src/Tasks/Compress.Tasks.csproj;{Repository}/src/Runtime/Compress.Runtime.csproj" Targets="Pack"
                         Properties="NoBuild=true;Configuration={configuration};PackageVersion={version};PackageOutputPath={folder};{properties}" />
              </Target>
            </Project>
            """);
        var (exitCode, output) = Tool.Run("dotnet", ["msbuild", project, "-nr:false", "-nologo", "-v:m"], Root, MachinePackages);
        Assert.True(exitCode == 0, output);
        return Path.Combine(folder, $"Compress.Tasks.{version}.nupkg");
    }
}
