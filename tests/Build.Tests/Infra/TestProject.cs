using System.Text.Json;

namespace Compress.Build.Tests.Infra;

/// <summary>A project that uses the package, in a folder of its own, and the builds of it.</summary>
internal sealed class TestProject : IDisposable
{
    private readonly string binlog;
    private bool restored;

    /// <param name="name">The name of the project and its folder.</param>
    /// <param name="items">What stands in an item group, such as <c>CompressedModel</c> items.</param>
    /// <param name="properties">What stands in a property group.</param>
    /// <param name="folder">The folder in which the project's folder is made; a new one if null.</param>
    /// <param name="body">What stands in the project besides.</param>
    public TestProject(string name, string items, string properties = "<OutputType>Exe</OutputType>", string? folder = null, string body = "")
    {
        Solution = folder ?? TestRun.Current.NewFolder();
        Folder = Path.Combine(Solution, name);
        StartedIn = Solution;
        binlog = Path.Combine(Solution, name + ".binlog");
        Directory.CreateDirectory(Folder);
        ProjectFile = Path.Combine(Folder, name + ".csproj");
        File.WriteAllText(ProjectFile, $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <CompressCacheDir>../cache</CompressCacheDir>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Compress.Tasks" Version="{TestRun.Current.Version}" />
                {items}
              </ItemGroup>
              {body}
            </Project>
            """);
    }

    public string Solution { get; }

    public string Folder { get; }

    public string ProjectFile { get; }

    /// <summary>What the environment of its builds has besides.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>The folder in which builds are started.</summary>
    public string StartedIn { get; set; }

    /// <summary>The packed models of the project.</summary>
    public IReadOnlyList<string> PackedFiles => Files("obj/compress", "*.packed.safetensors");

    public string PathOf(string file) => Path.Combine(Folder, file);

    public void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
        File.WriteAllText(PathOf(file), text);
    }

    public string Read(string file) => File.ReadAllText(PathOf(file));

    /// <summary>The files of a folder of the project, whatever the depth; none if it does not exist.</summary>
    public IReadOnlyList<string> Files(string folder, string pattern) =>
        Directory.Exists(PathOf(folder)) ? Directory.GetFiles(PathOf(folder), pattern, SearchOption.AllDirectories) : [];

    /// <summary>Runs <c>dotnet build</c>, restoring the first time only.</summary>
    public BuildResult Build(params string[] arguments) => Run("build", arguments);

    /// <summary>Runs <c>dotnet</c> with a command that builds.</summary>
    public BuildResult Run(string command, params string[] arguments)
    {
        File.Delete(binlog);
        bool restores = command is "build" or "publish" or "pack" && !arguments.Contains("--no-build");
        string[] restore = restores && restored && !arguments.Contains("-r") ? ["--no-restore"] : [];
        var (exitCode, output) = Tool.Run(
            "dotnet", [command, ProjectFile, "-nr:false", "-v:m", "-tl:off", "-bl:" + binlog, .. restore, .. arguments], StartedIn, TestRun.Current.Packages, Environment);
        restored |= restores;
        return new BuildResult(exitCode, output, binlog);
    }

    /// <summary>Restores, after something else than an ordinary build did.</summary>
    public void Restore() => restored = Run("restore").MustSucceed().Succeeded;

    /// <summary>Runs the built app and returns what it prints.</summary>
    public string RunApp(string folder = "bin/Debug/net10.0")
    {
        string dll = PathOf(Path.Combine(folder, Path.GetFileNameWithoutExtension(ProjectFile) + ".dll"));
        var (exitCode, output) = File.Exists(dll)
            ? Tool.Run("dotnet", [dll], Solution, TestRun.Current.Packages)
            : Tool.Run(Path.ChangeExtension(dll, OperatingSystem.IsWindows() ? ".exe" : null), [], Solution, TestRun.Current.Packages);
        Assert.True(exitCode == 0, output);
        return output.Trim();
    }

    /// <summary>The report of the only model.</summary>
    public JsonElement Report() => Json(File.ReadAllText(Assert.Single(Files("obj/compress", "*.report.json"))));

    /// <summary>The models of the engine's last run, by their names.</summary>
    public IEnumerable<string> LastRequest()
    {
        string file = Files("obj/compress", "*.request.json").MaxBy(File.GetLastWriteTimeUtc)!;
        return Json(File.ReadAllText(file)).GetProperty("models").EnumerateArray().Select(model => Path.GetFileName(model.GetProperty("model").GetString()!));
    }

    /// <summary>The items that the project has without a build, or after the targets that the arguments name: an object with an array for each type.</summary>
    public JsonElement Items(string types, params string[] arguments) =>
        Json(Run("msbuild", ["-getItem:" + types, .. arguments]).MustSucceed().Output).GetProperty("Items");

    /// <summary>All files of the project but those of MSBuild's own, with the time of their last change.</summary>
    public Dictionary<string, DateTime> Snapshot() => Files(".", "*").ToDictionary(file => file, File.GetLastWriteTimeUtc);

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    public void Dispose()
    {
        if (Directory.Exists(Solution))
        {
            Directory.Delete(Solution, recursive: true);
        }
    }
}
