using Compress.Build.Tests.Infra;
using Microsoft.Build.Logging.StructuredLogger;

namespace Compress.Build.Tests.Checklist;

/// <summary>What a build does again, and what it does not. Each test starts from the same model and recipe, and changes one thing.</summary>
public sealed class Incrementality : IClassFixture<SmallApp>
{
    private readonly TestProject app;

    public Incrementality(SmallApp fixture) => app = fixture.Reset();

    // The milliseconds are bench/'s: dotnet run --project bench -c Release -- noop
    [Fact]
    public void INC_01_BuildWithNothingToDoRunsOneTaskAndStartsNoProcess()
    {
        using var project = new TestProject("Ten", """<CompressedModel Include="Models/*.safetensors" />""", "");
        for (int i = 0; i < 10; i++)
        {
            Weights.Write(project.PathOf($"Models/m{i}.safetensors"), (Weights.Norm, [64], new float[64]));
        }

        Assert.Equal(1, project.Build().MustSucceed().EngineRuns);
        Assert.Equal(10, project.PackedFiles.Count);
        Assert.Equal(["CompressResolveModels"], project.Build().MustSucceed().OurTasks);
    }

    [Fact]
    public void INC_02_NothingIsReadWhileTimesAndLengthsAreWhatTheyWere()
    {
        app.Build().MustSucceed();
        foreach (string file in new[] { app.PathOf(SmallApp.Model), app.PathOf(SmallApp.Recipe) })
        {
            DateTime time = File.GetLastWriteTimeUtc(file);
            File.WriteAllBytes(file, new byte[new FileInfo(file).Length]);
            File.SetLastWriteTimeUtc(file, time);
        }

        var build = app.Build().MustSucceed();
        Assert.Equal(0, build.EngineRuns);
        Assert.Empty(build.Warnings);
    }

    [Fact]
    public void INC_03_OlderFileWithOtherContentIsCompressed()
    {
        app.Build().MustSucceed();
        Weights.Write(app.PathOf(SmallApp.Model), norm: 2.5f);
        File.SetLastWriteTimeUtc(app.PathOf(SmallApp.Model), DateTime.UtcNow.AddYears(-5));

        Assert.Equal(1, app.Build().MustSucceed().EngineRuns);
        Assert.EndsWith("|2.5", app.RunApp());
    }

    [Fact]
    public void INC_04_TouchedModelIsReadOnceAndNothingIsWritten()
    {
        app.Build().MustSucceed();
        string packed = Assert.Single(app.PackedFiles);
        DateTime before = File.GetLastWriteTimeUtc(packed);
        File.SetLastWriteTimeUtc(app.PathOf(SmallApp.Model), DateTime.UtcNow.AddHours(-1));

        var build = app.Build().MustSucceed();
        Assert.Equal(1, build.EngineRuns);
        Assert.Equal(0, build.Compilations);
        Assert.Equal(before, File.GetLastWriteTimeUtc(packed));
        Assert.Equal(0, app.Build().MustSucceed().EngineRuns);
    }

    [Fact]
    public void INC_05_DeletedFilesComeBack()
    {
        app.Build().MustSucceed();
        foreach (string[] names in new string[][] { ["tiny.packed.safetensors", "App.Tiny.g.cs"], ["tiny.fingerprint", "App.Tiny.g.cs.fingerprint"] })
        {
            string[] files = [.. names.Select(name => Assert.Single(app.Files("obj", name)))];
            byte[][] before = [.. files.Select(File.ReadAllBytes)];
            Array.ForEach(files, File.Delete);
            app.Build().MustSucceed();
            Assert.Equal(before, files.Select(File.ReadAllBytes));
        }
    }

    [Fact]
    public void INC_07_OnlyTheLayerThatChangedIsComputed()
    {
        app.Build().MustSucceed();
        Weights.Write(app.PathOf(SmallApp.Model), first: 0.75f);
        app.Build().MustSucceed();
        Assert.Equal(("miss", "hit"), Layers());

        app.Write(SmallApp.Recipe, SmallApp.Rules.Replace("bits: 8", "bits: 5"));
        app.Build().MustSucceed();
        Assert.Equal(("hit", "miss"), Layers());
    }

    [Fact]
    public void INC_08_QuestionSucceedsAfterABuildAndFailsAfterAChange()
    {
        app.Build().MustSucceed();
        app.Build("-question").MustSucceed();

        Weights.Write(app.PathOf(SmallApp.Model), norm: 3.5f);
        var error = Assert.Single(app.Build("-question").MustFail().Errors, error => error.Code == "CMPR4007");
        Assert.Equal(app.PathOf(SmallApp.Model), error.File);
    }

    [Fact]
    public void INC_09_CleanCheckoutComputesNothingThatTheCacheHas()
    {
        app.Build().MustSucceed();
        Directory.Delete(app.PathOf("bin"), recursive: true);
        Directory.Delete(app.PathOf("obj"), recursive: true);
        app.Restore();
        app.Build().MustSucceed();
        Assert.Equal(("hit", "hit"), Layers());
    }

    [Fact]
    public void INC_10_RebuildTakesEveryLayerFromTheCacheUnlessForced()
    {
        app.Build().MustSucceed();
        Assert.Equal(1, app.Build("--no-incremental").MustSucceed().EngineRuns); // which is -t:Rebuild
        Assert.Equal(("hit", "hit"), Layers());

        app.Build("-p:CompressForce=true").MustSucceed();
        Assert.Equal(("miss", "miss"), Layers());
    }

    private (string? Attention, string? FeedForward) Layers()
    {
        var layers = app.Report().GetProperty("layers").EnumerateArray()
            .ToDictionary(layer => layer.GetProperty("name").GetString()!, layer => layer.GetProperty("cache").GetString());
        Assert.Equal("kept", layers[Weights.Norm]);
        return (layers[Weights.Attention], layers[Weights.FeedForward]);
    }
}
