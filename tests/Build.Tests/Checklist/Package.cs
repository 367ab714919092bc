using System.IO.Compression;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using Compress.Build.Tests.Infra;
using Compress.Core.Diagnostics;
using Compress.Tasks;

namespace Compress.Build.Tests.Checklist;

/// <summary>PKG: what is in the package, and how it gets along with the projects that have it.</summary>
public sealed class Package : IDisposable
{
    private static readonly string File = Path.Combine(TestRun.Current.Feed, $"Compress.Tasks.{TestRun.Current.Version}.nupkg");

    private readonly string folder = TestRun.Current.NewFolder();

    [Fact]
    public void PKG_01_AppsOfALibraryCompressNothing()
    {
        using var library = new TestProject("Library", """<CompressedModel Include="tiny.safetensors" Access="Public" />""", "", folder);
        Weights.Write(library.PathOf("tiny.safetensors"));
        library.Run("pack", "-c", "Debug").MustSucceed();
        var app = new TestProject(
            "App",
            """<PackageReference Remove="Compress.Tasks" /><PackageReference Include="Library" Version="1.0.0" />""",
            "<OutputType>Exe</OutputType><RestoreAdditionalProjectSources>../Library/bin/Debug</RestoreAdditionalProjectSources>",
            folder);
        app.Write("Program.cs", "Console.WriteLine(Library.Tiny.Load().Packed.Names.Count);");

        var build = app.Build().MustSucceed();
        Assert.Equal("3", app.RunApp());
        Assert.Empty(build.All<Microsoft.Build.Logging.StructuredLogger.Target>("CompressResolveModels"));
        Assert.DoesNotContain("CompressedModel", app.Run("msbuild", "-getItem:AvailableItemName").Output);
    }

    [Fact]
    public void PKG_02_SameContentIsTheSameFile()
    {
        string again = TestRun.Current.Pack(TestRun.Current.Version, Path.Combine(folder, "again"));
        Assert.Equal(System.IO.File.ReadAllBytes(File), System.IO.File.ReadAllBytes(again));
    }

    [Fact]
    public void PKG_03_SaysWhereItComesFrom()
    {
        string released = TestRun.Current.Pack("1.0.0", Path.Combine(folder, "released"), "RepositoryUrl=https://example.org/r");
        var metadata = Nuspec(released);
        Assert.Equal("MIT", metadata["license"]!.Value);
        Assert.Equal("README.md", metadata["readme"]!.Value);
        Assert.Equal("icon.png", metadata["icon"]!.Value);
        Assert.Equal("https://example.org/r", metadata["repository"]!.Attribute("url")!.Value);
        if (Path.Exists(Path.Combine(TestRun.Repository, ".git")))
        {
            Assert.Matches("^[0-9a-f]{40}$", metadata["repository"]!.Attribute("commit")!.Value);
        }

        foreach (string assembly in OwnAssemblies)
        {
            using var image = new PEReader(new MemoryStream(Read(released, assembly)));
            var debug = image.ReadDebugDirectory().Select(entry => entry.Type);
            Assert.Contains(DebugDirectoryEntryType.Reproducible, debug);
            Assert.Contains(DebugDirectoryEntryType.EmbeddedPortablePdb, debug);
        }
    }

    [Fact]
    public void PKG_04_TasksAreCalledByNamesThatNoOtherPackageHas()
    {
        string[] own = [.. Projects.Descendants("UsingTask").Select(task => task.Attribute("TaskName")!.Value)];
        Assert.NotEmpty(own);
        Assert.All(own, name => Assert.StartsWith("Compress.Tasks.Compress", name));

        string[] known = [.. own, "MSBuild", "RemoveDir", "ItemGroup", "PropertyGroup"];
        Assert.All(Projects.Descendants("Target").Elements(), element => Assert.Contains(element.Name.LocalName, known));
    }

    [Fact]
    public void PKG_05_NamesAreOurOwnAndNothingRunsUnasked()
    {
        string[] shared =
        [
            "PrepareResourcesDependsOn", "AvailableItemName", "PropertyPageSchema", "GraphIsolationExemptReference", "None", "Content", "Watch", "CustomCollectWatchItems",
            "UpToDateCheckInput", "UpToDateCheckOutput", "EmbedInBinlog", "EmbeddedResource", "Compile", "FileWrites",
        ];
        var names = Projects.Descendants("PropertyGroup").Concat(Projects.Descendants("ItemGroup")).Concat(Projects.Descendants("ItemDefinitionGroup"))
            .Elements().Select(element => element.Name.LocalName)
            .Concat(Projects.Descendants("Output").Select(output => (output.Attribute("ItemName") ?? output.Attribute("PropertyName"))!.Value));
        Assert.All(names.Except(shared), name => Assert.Matches("^_?Compress", name));
        Assert.All(
            Projects.Descendants("Target").Select(target => target.Attribute("Name")!.Value).Except(["Quantize"]), // in a project of its own
            name => Assert.Matches("^_?Compress", name));
        Assert.All(Projects, project => Assert.Null(project.Attribute("InitialTargets")));
        Assert.Empty(Projects.Descendants("Exec"));
        Assert.DoesNotContain(Projects.Descendants("UsingTask").Attributes(), attribute => attribute.Name == "TaskFactory");
    }

    [Fact]
    public void PKG_06_ProjectWithoutModelsLoadsNothingOfOurs()
    {
        using var project = new TestProject("Plain", "", "", folder);
        var build = project.Build().MustSucceed();
        Assert.Empty(build.LoadedTasks);
        Assert.Empty(Directory.GetDirectories(project.PathOf("obj"), "compress", SearchOption.AllDirectories));
    }

    [Fact]
    public void PKG_08_ProjectThatIsNotSdkStyleIsRefused()
    {
        ZipFile.ExtractToDirectory(File, Path.Combine(folder, "package"));
        string project = Path.Combine(folder, "Legacy.csproj");
        System.IO.File.WriteAllText(project, """
            <Project ToolsVersion="15.0">
              <Import Project="package/build/Compress.Tasks.props" />
              <PropertyGroup>
                <OutputType>Library</OutputType>
                <TargetFrameworkVersion>v4.7.2</TargetFrameworkVersion>
              </PropertyGroup>
              <ItemGroup>
                <CompressedModel Include="tiny.safetensors" />
              </ItemGroup>
              <Import Project="$(MSBuildToolsPath)/Microsoft.CSharp.targets" />
              <Import Project="package/build/Compress.Tasks.targets" />
            </Project>
            """);
        string binlog = Path.Combine(folder, "legacy.binlog");
        var (exitCode, output) = Tool.Run(
            "dotnet", ["msbuild", project, "-t:CompressResolveModels", "-nr:false", "-bl:" + binlog], folder, TestRun.Current.Packages);
        var error = Assert.Single(new BuildResult(exitCode, output, binlog).MustFail().Errors);
        Assert.Equal((Codes.SdkTooOld, project), (error.Code, error.File));
        Assert.Contains("SDK-style", error.Text);
    }

    [Fact]
    public void PKG_09_HoldsTheseFilesAndNoOthers()
    {
        using var package = ZipFile.OpenRead(File);
        string[] names = [.. package.Entries.Select(entry => entry.FullName).Where(name => !name.StartsWith("_rels/", StringComparison.Ordinal)
            && !name.StartsWith("package/", StringComparison.Ordinal) && name != "[Content_Types].xml").Order(StringComparer.Ordinal)];
        Assert.Equal(
            [
                "Compress.Tasks.nuspec",
                "README.md",
                "build/Compress.Tasks.props",
                "build/Compress.Tasks.targets",
                "build/inner/CompressModel.proj",
                "build/rules/CompressedModel.xaml",
                "build/torchsharp/CalibrationRecorder.cs",
                "build/torchsharp/Compressed.cs",
                "build/torchsharp/LinearReplacement.cs",
                "build/torchsharp/PackedLinear.cs",
                "build/torchsharp/TensorBytes.cs",
                "buildMultiTargeting/Compress.Tasks.targets",
                "icon.png",
                "schema/compress.schema.json",
                "tasks/netstandard2.0/Compress.Tasks.dll",
                "tools/net10.0/any/Compress.Core.dll",
                "tools/net10.0/any/Compress.Runtime.dll",
                "tools/net10.0/any/Microsoft.Build.Locator.dll",
                "tools/net10.0/any/Spectre.Console.dll",
                "tools/net10.0/any/System.CommandLine.dll",
                "tools/net10.0/any/System.Numerics.Tensors.dll",
                "tools/net10.0/any/YamlDotNet.dll",
                "tools/net10.0/any/compress.deps.json",
                "tools/net10.0/any/compress.dll",
                "tools/net10.0/any/compress.runtimeconfig.json",
            ],
            names);
        var dependency = Assert.Single(Nuspec(File)["dependencies"]!.Descendants(), element => element.Name.LocalName == "dependency");
        Assert.Equal(("Compress.Runtime", TestRun.Current.Version), (dependency.Attribute("id")!.Value, dependency.Attribute("version")!.Value));
    }

    [Fact]
    public void PKG_09_TaskNeedsNothingButTheHost()
    {
        string[] hosts = ["netstandard", "Microsoft.Build.Framework", "Microsoft.Build.Utilities.Core", "System.Text.Json", "System.Memory"];
        var references = typeof(CompressResolveModels).Assembly.GetReferencedAssemblies().Select(name => name.Name!);
        Assert.All(references, name => Assert.Contains(name, hosts));
    }

    public void Dispose()
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string[] OwnAssemblies =>
    [
        "tasks/netstandard2.0/Compress.Tasks.dll", "tools/net10.0/any/compress.dll", "tools/net10.0/any/Compress.Core.dll", "tools/net10.0/any/Compress.Runtime.dll",
    ];

    // The roots of what MSBuild reads.
    private static XElement[] Projects =>
    [
        .. new[]
        {
            "build/Compress.Tasks.props", "build/Compress.Tasks.targets", "build/inner/CompressModel.proj", "buildMultiTargeting/Compress.Tasks.targets",
        }.Select(name => XDocument.Load(new MemoryStream(Read(File, name))).Root!),
    ];

    private static Dictionary<string, XElement?> Nuspec(string package) =>
        XDocument.Load(new MemoryStream(Read(package, "Compress.Tasks.nuspec"))).Root!.Elements().Single().Elements()
            .ToDictionary(element => element.Name.LocalName, element => (XElement?)element);

    private static byte[] Read(string package, string name)
    {
        using var zip = ZipFile.OpenRead(package);
        using var entry = zip.GetEntry(name)!.Open();
        using var bytes = new MemoryStream();
        entry.CopyTo(bytes);
        return bytes.ToArray();
    }
}
