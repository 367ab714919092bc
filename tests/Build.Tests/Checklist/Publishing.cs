using System.IO.Compression;
using System.Runtime.InteropServices;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>What is published and packed, and that publishing what has been built compresses nothing.</summary>
public sealed class Publishing(SmallApp small, LibraryAndApp both) : IClassFixture<SmallApp>, IClassFixture<LibraryAndApp>
{
    private static readonly string Runtime = RuntimeInformation.RuntimeIdentifier;

    private readonly TestProject app = small.Reset();

    [Fact]
    public void PUB_01_PublishedAppReadsItsModel()
    {
        app.Build().MustSucceed();
        Assert.Equal(0, app.Run("publish", "-c", "Debug").MustSucceed().EngineRuns);
        Assert.StartsWith("64x64|4.", app.RunApp("bin/Debug/net10.0/publish"));
    }

    [Fact]
    public void PUB_01_SingleFileAppReadsItsModel()
    {
        app.Build().MustSucceed();
        string folder = $"bin/Debug/net10.0/{Runtime}/publish";
        var build = app.Run("publish", "-r", Runtime, "--no-self-contained", "-p:PublishSingleFile=true", "-c", "Debug").MustSucceed();
        app.Restore(); // the assets are for that runtime now
        Assert.Equal(0, build.EngineRuns); // what is packed depends on no runtime identifier
        Assert.Empty(app.Files(folder, "*.dll"));
        Assert.StartsWith("64x64|4.", app.RunApp(folder));
    }

    [Fact]
    public void PUB_01_TrimmedAppReadsItsModel()
    {
        app.Build().MustSucceed();
        string folder = $"bin/Release/net10.0/{Runtime}/publish";
        var build = app.Run("publish", "-r", Runtime, "-p:PublishTrimmed=true", "-p:PublishSingleFile=true", "-c", "Release").MustSucceed();
        app.Restore();
        Assert.Equal(0, build.EngineRuns);
        Assert.Empty(build.Warnings); // of the trimmer
        Assert.StartsWith("64x64|4.", app.RunApp(folder));
    }

    [Fact]
    public void PUB_02_WithoutBuildingNothingIsCompressedWhateverHasChanged()
    {
        app.Build().MustSucceed();
        Weights.Write(app.PathOf(SmallApp.Model), norm: 2.5f);
        foreach (string command in new[] { "publish", "pack" })
        {
            Assert.Equal(["CompressResolveModels"], app.Run(command, "--no-build", "-c", "Debug").MustSucceed().OurTasks);
        }

        Assert.EndsWith("|1.5", app.RunApp("bin/Debug/net10.0/publish"));
    }

    [Fact]
    public void PUB_03_FilesReachTheAppsThatUseTheLibrary()
    {
        both.App.Build().MustSucceed();
        Assert.Equal("4 8 4", both.App.RunApp());
        Assert.Equal(LibraryAndApp.Beside, Path.GetFileName(Assert.Single(Directory.GetFiles(both.App.PathOf("bin/Debug/net10.0"), "*.safetensors"))));

        Run("bin/Debug/net10.0/publish", "--no-build");
        Run($"bin/Debug/net10.0/{Runtime}/publish", "-r", Runtime, "--no-self-contained", "-p:PublishSingleFile=true");
        both.App.Restore();
        Assert.Empty(both.App.Files($"bin/Debug/net10.0/{Runtime}/publish", "*.dll"));

        void Run(string folder, params string[] arguments)
        {
            Assert.Equal(0, both.App.Run("publish", ["-c", "Debug", .. arguments]).MustSucceed().EngineRuns);
            Assert.Equal("4 8 4", both.App.RunApp(folder));
            Assert.Equal(LibraryAndApp.Beside, Path.GetFileName(Assert.Single(both.App.Files(folder, "*.safetensors"))));
        }
    }

    [Fact]
    public void PUB_04_PackedLibraryHoldsItsModelsAndItsUsersCompressNothing()
    {
        both.Library.Build().MustSucceed();
        both.Library.Run("pack", "--no-build", "-c", "Debug").MustSucceed();
        using var package = ZipFile.OpenRead(Assert.Single(both.Library.Files("bin", "*.nupkg")));
        Assert.DoesNotContain(package.Entries, entry => entry.Name.EndsWith(".safetensors", StringComparison.Ordinal)); // docs/build.md says so
        long packed = both.Library.PackedFiles.Min(file => new FileInfo(file).Length);
        Assert.InRange(package.GetEntry("lib/net10.0/Library.dll")!.Length, packed, packed + 20_000); // the one that is embedded

        using var nuspec = new StreamReader(package.GetEntry("Library.nuspec")!.Open());
        string dependencies = nuspec.ReadToEnd();
        Assert.Contains("id=\"Compress.Tasks\"", dependencies); // brings Compress.Runtime
        Assert.Contains("exclude=\"Build,Analyzers\"", dependencies);
    }
}
