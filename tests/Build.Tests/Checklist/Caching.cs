using System.Text.Json;
using Compress.Build.Tests.Infra;

namespace Compress.Build.Tests.Checklist;

/// <summary>
/// The cache as builds see it: CCH-01, 02, 04, 06, 07 and 08. What no build is needed for is in Core.Tests/Caching (CCH-05 and all that the others
/// have of threads and bytes), what needs the engine alone in Cli.Tests/Faults (CCH-01, CCH-03).
/// </summary>
public sealed class Caching : IClassFixture<Caching.Library>
{
    private const string Model = "tiny.safetensors"; // of two layers

    private readonly TestProject library;

    public Caching(Library fixture)
    {
        library = fixture.Project;
        Weights.Write(library.PathOf(Model));
        Forget();
        Remove(Cache);
    }

    private string Cache => Path.Combine(library.Solution, "cache");

    private string[] Entries => Directory.GetFiles(Cache, "*.layer", SearchOption.AllDirectories);

    [Fact]
    public void CCH_01_UnwritableCacheIsOneWarning()
    {
        string file = Path.Combine(library.Solution, "a file where a folder should be");
        File.WriteAllText(file, "");

        var build = library.Build($"-p:CompressCacheDir={file}").MustSucceed();

        Assert.Equal("CMPR3001", Assert.Single(build.Warnings).Code);
        Assert.Equal((0, 2), HitsAndMisses());
        Assert.Single(library.PackedFiles);
    }

    [Fact]
    public void CCH_02_DamagedEntryIsMendedWithAMessageEvenIfWarningsAreErrors()
    {
        library.Build().MustSucceed();
        byte[] packed = File.ReadAllBytes(Assert.Single(library.PackedFiles));
        string entry = Entries[0];
        byte[] good = File.ReadAllBytes(entry);
        File.WriteAllBytes(entry, good[..^1]);
        Forget();

        var build = library.Build("-warnaserror").MustSucceed();

        Assert.Empty(build.Errors);
        Assert.Empty(build.Warnings);
        Assert.Contains("CMPR3002", build.Output);
        Assert.Equal((1, 1), HitsAndMisses());
        Assert.Equal(good, File.ReadAllBytes(entry));
        Assert.Equal(packed, File.ReadAllBytes(Assert.Single(library.PackedFiles)));
    }

    [Fact]
    public void CCH_04_PackedFilesAreWritableCopies()
    {
        library.Build().MustSucceed();
        string packed = Assert.Single(library.PackedFiles);
        byte[][] entries = [.. Entries.Select(File.ReadAllBytes)];

        Assert.False(File.GetAttributes(packed).HasFlag(FileAttributes.ReadOnly));
        using (var stream = File.OpenWrite(packed))
        {
            stream.Write(new byte[stream.Length]); // in place: a hard link would carry this into the cache
        }

        Assert.Equal(entries, Entries.Select(File.ReadAllBytes));
    }

    [Fact]
    public void CCH_06_CacheIsTrimmedToTheLeastRecentlyUsedAfterTheBuild()
    {
        library.Build().MustSucceed();
        string[] old = Entries;
        Assert.Equal(2, old.Length);
        Array.ForEach(old, entry => File.SetLastWriteTimeUtc(entry, DateTime.UtcNow.AddDays(-2)));
        Weights.Write(library.PathOf(Model), seed: 2); // another attention matrix

        library.Build("-p:CompressCacheMaxSize=1 KB").MustSucceed();

        // What this build used stays, however small the limit: one of the two old entries, and the new one.
        Assert.Equal((1, 1), HitsAndMisses());
        Assert.Equal(2, Entries.Length);
        Assert.Single(Entries.Intersect(old));
    }

    [Fact]
    public void CCH_07_KeyHasTheSaltAndNothingOfPathsTimesOrConfiguration()
    {
        library.Build().MustSucceed();
        using var other = new TestProject("Other", """<CompressedModel Include="renamed.safetensors" />""", "", Path.Combine(library.Solution, "else where"));
        Directory.CreateDirectory(other.Solution);
        File.Copy(library.PathOf(Model), other.PathOf("renamed.safetensors"));
        File.SetLastWriteTimeUtc(other.PathOf("renamed.safetensors"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));

        other.Build("-c", "Release", $"-p:CompressCacheDir={Cache}").MustSucceed();
        Assert.Equal((2, 0), HitsAndMisses(other));

        // Another salt makes the models stale, and finds nothing.
        Assert.Equal(1, other.Build("-c", "Release", $"-p:CompressCacheDir={Cache}", "-p:CompressCacheSalt=a%3Bb").MustSucceed().EngineRuns);
        Assert.Equal((0, 2), HitsAndMisses(other));
        Assert.Equal(File.ReadAllBytes(Assert.Single(library.PackedFiles)), File.ReadAllBytes(Assert.Single(other.PackedFiles)));
    }

    [Fact]
    public void CCH_08_ModeSaysWhatMayBeDone()
    {
        library.Build("-p:CompressCacheMode=Off").MustSucceed();
        Assert.False(Directory.Exists(Cache));

        Forget();
        library.Build("-p:CompressCacheMode=readonly").MustSucceed();
        Assert.Equal((0, 2), HitsAndMisses());
        Assert.False(Directory.Exists(Cache));

        Forget();
        library.Build().MustSucceed();
        Assert.Equal(2, Entries.Length);
        string[] before = [.. Everything()];
        Weights.Write(library.PathOf(Model), seed: 3);
        library.Build("-p:CompressCacheMode=ReadOnly").MustSucceed();
        Assert.Equal((1, 1), HitsAndMisses());
        Assert.Equal(before, Everything());

        var error = Assert.Single(library.Build("-p:CompressCacheMode=Maybe").MustFail().Errors);
        Assert.Equal("CMPR4004", error.Code);
        Assert.Equal("CMPR4004", Assert.Single(library.Build("-p:CompressCacheMaxSize=huge").MustFail().Errors).Code);

        IEnumerable<string> Everything() => Directory.GetFileSystemEntries(Cache, "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(path => $"{path} {File.GetLastWriteTimeUtc(path):O}");
    }

    // Everything that was written before is of the future.
    [Fact]
    public void ClockThatWasSetBackCostsOneLookAndHidesNoChange()
    {
        library.Build().MustSucceed();
        foreach (string file in Entries.Concat(library.Files("obj/compress", "*")).Append(library.PathOf(Model)))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddYears(1));
        }

        Assert.Equal(1, library.Build().MustSucceed().EngineRuns);
        Assert.Equal((2, 0), HitsAndMisses());
        Assert.Equal(0, library.Build().MustSucceed().EngineRuns);

        Weights.Write(library.PathOf(Model), seed: 4);
        Assert.Equal(1, library.Build().MustSucceed().EngineRuns);
        Assert.Equal((1, 1), HitsAndMisses());
    }

    // As after a fresh clone.
    private void Forget() => Remove(library.PathOf("obj/compress"));

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private (int Hits, int Misses) HitsAndMisses(TestProject? project = null)
    {
        JsonElement report = (project ?? library).Report();
        return (report.GetProperty("cacheHits").GetInt32(), report.GetProperty("cacheMisses").GetInt32());
    }

    public sealed class Library : IDisposable
    {
        public Library()
        {
            Project = new TestProject("Library", $"""<CompressedModel Include="{Model}" />""", "");
            Project.Write("Class.cs", "namespace Library; static class Class { public static Tiny Get() => Tiny.Load(); }");
        }

        internal TestProject Project { get; }

        public void Dispose() => Project.Dispose();
    }
}
