using System.Text.Json;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>
/// What Visual Studio's fast up-to-date check is told: the check itself runs in Visual Studio alone. It builds a project when an input of
/// a set is newer than the set's oldest output.
/// </summary>
public sealed class UpToDateCheck(SmallApp small) : IClassFixture<SmallApp>
{
    private readonly TestProject app = small.Reset();

    [Fact]
    public void FUT_01_ModelsAndRecipesAreInputsAndTheStampIsTheOutputOfASetOfTheirOwn()
    {
        app.Build().MustSucceed();
        var items = app.Items("UpToDateCheckInput,UpToDateCheckOutput");
        Assert.Equal([app.PathOf(SmallApp.Recipe), app.PathOf(SmallApp.Model)], OfOurSet(items, "UpToDateCheckInput").Order());
        string stamp = Assert.Single(OfOurSet(items, "UpToDateCheckOutput"));
        Assert.InRange(File.GetLastWriteTimeUtc(stamp), File.GetLastWriteTimeUtc(app.PathOf(SmallApp.Model)), DateTime.UtcNow);

        // Nothing writes the stamp then, and an output that never comes would ask for a build every time.
        Assert.Empty(OfOurSet(app.Items("UpToDateCheckInput,UpToDateCheckOutput", "-p:CompressEnabled=false"), "UpToDateCheckOutput"));
    }

    [Fact]
    public void FUT_01_FilesThatAModelConsistsOfAreInputsToo()
    {
        using var library = new TestProject("Library", """<CompressedModel Include="folder;sharded/model.safetensors.index.json" />""", "", body:
            """<Target Name="CollectUpToDateCheckInputDesignTime" />"""); // Visual Studio's, which adds what targets before it have added
        foreach (string shard in new[] { "folder/part.safetensors", "sharded/model-00001-of-00001.safetensors" })
        {
            Weights.Write(library.PathOf(shard), (Weights.Norm, [64], new float[64]));
        }

        library.Write("sharded/model.safetensors.index.json", "{}");
        library.Restore();
        var items = library.Items("UpToDateCheckInput", "-t:CollectUpToDateCheckInputDesignTime");
        Assert.Equal(
            [library.PathOf("folder/part.safetensors"), library.PathOf("sharded/model-00001-of-00001.safetensors")],
            OfOurSet(items, "UpToDateCheckInput").Where(file => file.EndsWith(".safetensors", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void FUT_02_StampChangesWheneverTheModelIsLookedAt()
    {
        app.Build().MustSucceed();
        string stamp = Assert.Single(app.Files("obj/compress", "compress.stamp"));
        DateTime packed = File.GetLastWriteTimeUtc(app.PackedFiles[0]);
        DateTime touched = File.GetLastWriteTimeUtc(stamp).AddMilliseconds(1);
        File.SetLastWriteTimeUtc(app.PathOf(SmallApp.Model), touched);

        app.Build().MustSucceed();
        Assert.InRange(File.GetLastWriteTimeUtc(stamp), touched, DateTime.UtcNow);
        Assert.Equal(packed, File.GetLastWriteTimeUtc(app.PackedFiles[0]));
    }

    [Fact]
    public void FUT_03_BuildAccelerationIsNotSwitchedOff()
    {
        app.Restore();
        Assert.Equal(0, app.Items("BuildAccelerationIncompatiblePackage").GetProperty("BuildAccelerationIncompatiblePackage").GetArrayLength());
    }

    private static IEnumerable<string> OfOurSet(JsonElement items, string type) => items.GetProperty(type).EnumerateArray()
        .Where(item => item.TryGetProperty("Set", out var set) && set.GetString() == "Compress").Select(item => item.GetProperty("FullPath").GetString()!);
}
