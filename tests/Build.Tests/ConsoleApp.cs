using System.Globalization;
using System.Runtime.InteropServices;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests;

/// <summary>The ordinary case: a console app with one model. Each test starts from the same model and recipe, and changes one thing.</summary>
public sealed class ConsoleApp : IClassFixture<SmallApp>, IDisposable
{
    private const string Model = SmallApp.Model;
    private const string Recipe = "Models/compress.yaml";
    private const string Rules = """
        version: 1
        method: uniform
        bits: 4
        layers:
          - match: "*.mlp.*"
            bits: 8

        """;

    private readonly TestProject app;

    public ConsoleApp(SmallApp fixture)
    {
        app = fixture.App;
        Weights.Write(app.PathOf(Model));
        app.Write(Recipe, Rules);
    }

    [Fact]
    public void EmbedsTheModelAndReadsItBack()
    {
        app.Build().MustSucceed();
        // one vector, kept as it is, and a matrix of 4 bits and a scale and a zero point for each of its groups
        string[] printed = app.RunApp().Split('|');
        Assert.Equal("64x64", printed[0]);
        Assert.InRange(double.Parse(printed[1], CultureInfo.InvariantCulture), 4.0, 5.0);
        Assert.Equal("1.5", printed[2]);
        Assert.Empty(app.Files("bin", "*.safetensors"));
    }

    [Fact]
    public void SecondBuildDoesNothing()
    {
        app.Build().MustSucceed();
        var build = app.Build("--no-restore").MustSucceed();
        Assert.Empty(build.All<Microsoft.Build.Logging.StructuredLogger.Task>("CompressRunEngine"));
        Assert.Equal(0, build.Compilations);
        app.Build("-question").MustSucceed();
    }

    [Fact]
    public void TouchedModelIsReadAndNothingIsWritten()
    {
        app.Build().MustSucceed();
        string packed = Assert.Single(app.PackedFiles);
        DateTime before = File.GetLastWriteTimeUtc(packed);
        File.SetLastWriteTimeUtc(app.PathOf(Model), DateTime.UtcNow.AddHours(-1));

        var build = app.Build("-p:CompressMaxParallelism=1").MustSucceed();
        Assert.Equal(1, build.EngineRuns);
        Assert.Contains("\"threads\": 1,", app.Read(Assert.Single(app.Files("obj/compress", "*.request.json"))));
        Assert.Equal(0, build.Compilations);
        Assert.Equal(before, File.GetLastWriteTimeUtc(packed));
        Assert.Equal(0, app.Build().MustSucceed().EngineRuns);
    }

    [Fact]
    public void ModelReplacedByAnOlderFileIsCompressedAgain()
    {
        app.Build().MustSucceed();
        Weights.Write(app.PathOf(Model), norm: 2.5f);
        File.SetLastWriteTimeUtc(app.PathOf(Model), DateTime.UtcNow.AddYears(-5));

        app.Build("-question").MustFail();
        Assert.Equal(1, app.Build().MustSucceed().EngineRuns);
        Assert.EndsWith("|2.5", app.RunApp());
    }

    [Fact]
    public void ChangedTensorIsTheOnlyOneComputed()
    {
        app.Build().MustSucceed();
        Weights.Write(app.PathOf(Model), first: (float)Random.Shared.NextDouble()); // never in the cache
        app.Build().MustSucceed();
        var report = app.Report();
        Assert.Equal(1, report.GetProperty("cacheMisses").GetInt32());
        Assert.Equal(1, report.GetProperty("cacheHits").GetInt32());
    }

    [Fact]
    public void ChangedRuleComputesItsLayerOnly()
    {
        app.Write(Recipe, Rules.Replace("bits: 8", "bits: 6"));
        Directory.Delete(Path.Combine(app.Solution, "cache"), recursive: true);
        app.Build().MustSucceed();
        Assert.Equal(2, app.Report().GetProperty("cacheMisses").GetInt32());

        app.Write(Recipe, Rules.Replace("bits: 8", "bits: 5"));
        app.Build().MustSucceed();
        var layers = app.Report().GetProperty("layers").EnumerateArray().ToDictionary(l => l.GetProperty("name").GetString()!, l => l.GetProperty("cache").GetString());
        Assert.Equal("miss", layers[Weights.FeedForward]);
        Assert.Equal("hit", layers[Weights.Attention]);
        Assert.Equal("kept", layers[Weights.Norm]);
    }

    [Fact]
    public void RecipeOfTheModelsOwnTakesOverWhenItAppears()
    {
        app.Write("Models/tiny.compress.yaml", "version: 1\nmethod: uniform\nbits: 2\n");
        try
        {
            app.Build().MustSucceed();
            Assert.StartsWith("64x64|2.", app.RunApp());
        }
        finally
        {
            File.Delete(app.PathOf("Models/tiny.compress.yaml"));
        }

        Assert.Equal(1, app.Build().MustSucceed().EngineRuns);
        Assert.StartsWith("64x64|4.", app.RunApp());
    }

    [Theory]
    [InlineData("obj/compress", "*.packed.safetensors")]
    [InlineData("obj/compress", "*.fingerprint")]
    [InlineData("obj/Debug", "*.Tiny.g.cs")]
    public void DeletedFileComesBack(string folder, string pattern)
    {
        app.Build().MustSucceed();
        string file = Assert.Single(app.Files(folder, pattern));
        byte[] before = File.ReadAllBytes(file);
        File.Delete(file);
        app.Build().MustSucceed();
        Assert.Equal(before, File.ReadAllBytes(file));
    }

    [Fact]
    public void RebuildTakesEveryLayerFromTheCache()
    {
        app.Build("-t:Rebuild").MustSucceed();
        Assert.Equal(0, app.Report().GetProperty("cacheMisses").GetInt32());

        app.Build("-p:CompressForce=true").MustSucceed();
        Assert.Equal(2, app.Report().GetProperty("cacheMisses").GetInt32());
    }

    [Fact]
    public void TruncatedModelIsNamed()
    {
        File.WriteAllBytes(app.PathOf(Model), File.ReadAllBytes(app.PathOf(Model))[..1000]);
        var error = Assert.Single(app.Build().MustFail().Errors);
        Assert.Equal("CMPR2003", error.Code);
        Assert.Equal(app.PathOf(Model), error.File);
    }

    [Fact]
    public void DesignTimeBuildGeneratesTheClassWithoutTheEngine()
    {
        app.Build().MustSucceed();
        app.Run("clean").MustSucceed();
        Assert.Empty(app.Files("obj/compress", "*"));

        string[] designTime =
            ["-t:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true", "-getItem:CscCommandLineArgs"];
        var build = app.Run("msbuild", designTime).MustSucceed();
        Assert.Contains("App.Tiny.g.cs", build.Output);
        Assert.Empty(app.PackedFiles);
        string text = app.Read(Assert.Single(app.Files("obj/Debug", "*.Tiny.g.cs")));

        app.Build().MustSucceed();
        Assert.Equal(text, app.Read(Assert.Single(app.Files("obj/Debug", "*.Tiny.g.cs"))));
        app.Run("msbuild", designTime).MustSucceed();
        app.Build("-question").MustSucceed();

        File.Delete(app.PathOf(Model));
        var missing = app.Run("msbuild", designTime).MustSucceed();
        Assert.Contains(missing.Warnings, warning => warning.Code == "CMPR1101");
    }

    [Fact]
    public void SwitchedOffItCompilesAndEmbedsNothing()
    {
        app.Build().MustSucceed();
        long with = new FileInfo(app.PathOf("bin/Debug/net10.0/App.dll")).Length;
        File.SetLastWriteTimeUtc(app.PathOf(Model), DateTime.UtcNow.AddHours(-4));
        Assert.Equal(0, app.Build("-p:CompressEnabled=false").MustSucceed().EngineRuns);
        Assert.InRange(new FileInfo(app.PathOf("bin/Debug/net10.0/App.dll")).Length, 0, with - new FileInfo(app.PackedFiles[0]).Length + 512); // sections are aligned
    }

    [Fact]
    public void CleanLeavesNothing()
    {
        app.Build().MustSucceed();
        app.Run("clean").MustSucceed();
        Assert.Empty(app.Files("obj/compress", "*"));
        Assert.Empty(app.Files("obj/Debug", "*.Tiny.g.cs"));
        Assert.Empty(app.Files("obj/Debug", "*.fingerprint"));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(app.Solution, "cache"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void PublishRunsAndNeverCompressesWithNoBuild()
    {
        app.Build().MustSucceed();
        File.SetLastWriteTimeUtc(app.PathOf(Model), DateTime.UtcNow.AddHours(-2));
        Assert.Equal(0, app.Run("publish", "--no-build", "-c", "Debug").MustSucceed().EngineRuns);
        Assert.StartsWith("64x64|4.", app.RunApp("bin/Debug/net10.0/publish"));
    }

    [Fact]
    public void SingleFileAppReadsItsModel()
    {
        app.Build().MustSucceed();
        string rid = RuntimeInformation.RuntimeIdentifier;
        string folder = $"bin/Debug/net10.0/{rid}/publish";
        var build = app.Run("publish", "-r", rid, "--no-self-contained", "-p:PublishSingleFile=true", "-c", "Debug").MustSucceed();
        app.Restore(); // the assets are for that runtime now
        Assert.Equal(0, build.EngineRuns); // what is packed depends on no runtime identifier
        Assert.Empty(app.Files(folder, "*.dll"));
        Assert.StartsWith("64x64|4.", app.RunApp(folder));
    }

    [Fact]
    public void DotnetWatchSeesModelAndRecipe()
    {
        app.Build().MustSucceed();
        string items = app.Run("msbuild", "-getItem:Watch,UpToDateCheckInput").Output;
        Assert.Contains("tiny.safetensors", items);
        Assert.Contains("compress.yaml", items);
        Assert.DoesNotContain("tiny.compress.yaml", items); // does not exist
    }

    public void Dispose() => File.Delete(app.PathOf("Models/tiny.compress.yaml"));
}
