using System.Security.Cryptography;
using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Caching;

public class EntryThatAnotherProcessComputes : CompressionTest
{
    [Fact]
    public async Task IsAwaitedAndTaken()
    {
        RunWell();
        string hash = OutputHash();
        File.Delete(OutputPath);
        var entries = Entries();
        string entry = entries[0], aside = entry + ".aside";
        File.Move(entry, aside);
        Assert.True(EntryLock.TryTake(entry, out var held));
        var progress = new Progress();

        var waiting = Task.Run(() => Run(progress: progress));
        await progress.Waiting.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(new CompressionProgress(3, 4, progress.Last!.WeightsDone, progress.Last.WeightsTotal, 1, Waiting: true), progress.Last);
        File.Move(aside, entry); // the other one is done
        held!.Dispose();

        Assert.Equal((2, 0), ((await waiting)!.CacheHits, (await waiting)!.CacheMisses));
        Assert.Equal(hash, OutputHash());
    }

    [Fact]
    public async Task IsComputedWhereTheOtherGivesUp()
    {
        RunWell();
        string entry = Entries()[0];
        File.Delete(entry);
        Assert.True(EntryLock.TryTake(entry, out var held));
        var progress = new Progress();

        var waiting = Task.Run(() => Run(progress: progress));
        await progress.Waiting.Task.WaitAsync(TimeSpan.FromMinutes(1));
        held!.Dispose();

        Assert.Equal((1, 1), ((await waiting)!.CacheHits, (await waiting)!.CacheMisses));
        Assert.Equal(2, Entries().Length);
    }

    // A process that was killed when it had just written the entry left its lock beside it: nobody would ever take it.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LeftBesideAnEntryGoesWithTheNextReadUnlessSomebodyHasIt(bool isHeld)
    {
        var cache = new LayerCache(CachePath);
        var diagnostics = new DiagnosticBag();
        string name = new('a', 64);
        cache.TryWrite(name, FakeCodec.Encoded(1, 2, 3), DType.F32, [1, 3], new ErrorSums(4, 0.25), diagnostics);
        string left = Directory.GetFiles(CachePath, "*.layer", SearchOption.AllDirectories).Single() + EntryLock.Extension;
        File.WriteAllText(left, "");
        using (isHeld ? new FileStream(left, FileMode.Open, FileAccess.ReadWrite, FileShare.None) : null)
        {
            Assert.NotNull(cache.TryRead(name, diagnostics));
            Assert.Equal(isHeld, File.Exists(left));
        }
    }

    [Fact]
    public void IsNoReasonToWaitWhereTheOtherWasKilled()
    {
        RunWell();
        string entry = Entries()[0];
        File.Delete(entry);
        File.WriteAllText(entry + EntryLock.Extension, "");

        Assert.Equal((1, 1), (RunWell().CacheHits, Entries().Length - 1));
        Assert.False(File.Exists(entry + EntryLock.Extension));
    }

    [Fact]
    public async Task EndsTheWaitWhenTheBuildIsCancelled()
    {
        RunWell();
        string entry = Entries()[0];
        File.Delete(entry);
        Assert.True(EntryLock.TryTake(entry, out var held));
        using (held)
        {
            using var source = new CancellationTokenSource();
            var progress = new Progress();
            var waiting = Task.Run(() => Run(progress: progress, token: source.Token));
            await progress.Waiting.Task.WaitAsync(TimeSpan.FromMinutes(1));
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }
    }

    private sealed class Progress : IProgress<CompressionProgress>
    {
        public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CompressionProgress? Last { get; private set; }

        public void Report(CompressionProgress value)
        {
            Last = value;
            if (value.Waiting)
            {
                Waiting.TrySetResult();
            }
        }
    }
}

public class SameLayerTwiceInAModel : CompressionTest
{
    [Fact]
    public void IsEncodedOnce()
    {
        new TestModel().AddGaussian("a.weight", 64, 96, 1).AddGaussian("tied.weight", 64, 96, 1).Write(ModelPath);

        var report = RunWell();

        Assert.Equal((1, 1), (report.CacheHits, report.CacheMisses));
    }
}

public class EntriesThatVanishWhileTheyAreInUse : CompressionTest
{
    [Fact]
    public void AreEncodedAgain()
    {
        RunWell();
        string hash = OutputHash();
        File.Delete(OutputPath);

        var report = Run(progress: new Clearing(new LayerCache(CachePath)))!;

        Assert.Empty(Diagnostics.Items);
        Assert.Equal((0, 2), (report.CacheHits, report.CacheMisses));
        Assert.Equal(hash, OutputHash());
        Assert.Equal([Path.GetFileName(OutputPath)], FilesBesideOutput());
    }

    // Empties the cache whenever all layers have been found or encoded, before the packed file is written.
    private sealed class Clearing(LayerCache cache) : IProgress<CompressionProgress>
    {
        public void Report(CompressionProgress value)
        {
            if (value.LayersDone == value.LayersTotal)
            {
                cache.Clear();
            }
        }
    }
}

/// <summary>A good entry under the name of another, as a program might write it that is broken or wicked.</summary>
public class EntryOfAnotherKey : CompressionTest
{
    [Theory]
    [InlineData("method: uniform", DType.F32, 64)] // another codec
    [InlineData("method: higgs", DType.F16, 64)] // another element type
    [InlineData("method: higgs", DType.F32, 32)] // another shape
    public void IsNotUsed(string recipe, DType type, int rows)
    {
        Recipe(recipe);
        new TestModel().Add("w", type, [rows, 96], new byte[rows * 96 * type.SizeInBytes()]).Write(ModelPath);
        RunWell();
        byte[] foreign = File.ReadAllBytes(Assert.Single(Entries()));
        Directory.Delete(CachePath, recursive: true);
        Recipe("method: higgs");
        new TestModel().AddGaussian("w", 64, 96, 1).Write(ModelPath);
        RunWell();
        string hash = OutputHash();
        File.WriteAllBytes(Assert.Single(Entries()), foreign);
        File.Delete(OutputPath);

        Assert.Equal((0, 1), (Run()!.CacheHits, Entries().Length));
        Assert.Equal(hash, OutputHash());
    }
}

/// <summary>An entry whose checksum and key are good, and which no decoder opens.</summary>
public class EntryThatCannotBeOpened : CompressionTest
{
    [Fact]
    public void ReplacesNoOutputAndIsEncodedAgain()
    {
        RunWell();
        string hash = OutputHash();
        foreach (string path in Entries())
        {
            byte[] entry = File.ReadAllBytes(path);
            int at = entry.AsSpan().IndexOf("groupSize"u8);
            entry.AsSpan(at + "groupSize\\\":".Length, 2).Fill((byte)'7'); // 1024 is no power of two any more
            SHA256.HashData(entry.AsSpan(0, entry.Length - 32), entry.AsSpan(entry.Length - 32));
            File.WriteAllBytes(path, entry);
        }

        File.WriteAllText(OutputPath, "the last good one");
        var report = Run()!;

        Assert.Empty(Diagnostics.Items);
        Assert.Equal((0, 2), (report.CacheHits, report.CacheMisses));
        Assert.Equal(hash, OutputHash());
        File.Delete(OutputPath);
        Assert.Equal(2, RunWell().CacheHits); // the cache is mended too
    }
}

public class ReadOnlyCache : CompressionTest
{
    [Fact]
    public void CCH_08_IsUsedAndLeftAsItIs()
    {
        RunWell();
        string entry = Entries()[0];
        File.WriteAllText(Entries()[1], "damaged");
        Array.ForEach(Entries(), path => File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-9)));
        string[] before = State();

        var report = Compressor.Run(
            new CompressionRequest(ModelPath, null, OutputPath) { Cache = new LayerCache(CachePath, readOnly: true) }, Diagnostics, null, CancellationToken.None)!;

        Assert.Equal((1, 1), (report.CacheHits, report.CacheMisses));
        Assert.Equal((Codes.CacheEntryDamaged, Severity.Message), (Diagnostics.Items[0].Code, Diagnostics.Items[0].Severity));
        Assert.Equal(before, State());
        Assert.True(File.Exists(entry));
        Assert.Equal([Path.GetFileName(OutputPath)], FilesBesideOutput());
    }

    [Fact]
    public void IsNotMadeWhereThereIsNone()
    {
        Compressor.Run(
            new CompressionRequest(ModelPath, null, OutputPath) { Cache = new LayerCache(CachePath, readOnly: true) }, Diagnostics, null, CancellationToken.None);

        Assert.False(Directory.Exists(CachePath));
        Assert.True(File.Exists(OutputPath));
    }

    private string[] State() =>
        [.. Directory.GetFileSystemEntries(CachePath, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => $"{path} {File.GetLastWriteTimeUtc(path):O}")];
}

public class SaltOfACache : CompressionTest
{
    [Fact]
    public void CCH_07_HidesTheEntriesOfOtherSaltsAndChangesNoByte()
    {
        RunWell();
        string hash = OutputHash();
        File.Delete(OutputPath);

        var report = Salted();

        Assert.Equal((0, 2, "new"), (report.CacheHits, report.CacheMisses, report.CacheSalt));
        Assert.Equal(hash, OutputHash());
        Assert.Equal(4, Entries().Length);
        Assert.Equal(2, Salted().CacheHits);
    }

    private CompressionReport Salted() => Compressor.Run(
        new CompressionRequest(ModelPath, null, OutputPath) { Cache = new LayerCache(CachePath, salt: "new") }, Diagnostics, null, CancellationToken.None)!;
}

public class ManyCompressionsOnOneColdCache : CompressionTest
{
    [Fact]
    public void ComputeEachLayerOnce()
    {
        var model = new TestModel();
        for (int layer = 0; layer < 24; layer++)
        {
            model.AddGaussian($"{layer}.weight", 64, 96, layer);
        }

        model.Write(ModelPath);
        var reports = new CompressionReport[8];

        Parallel.For(0, reports.Length, new ParallelOptions { MaxDegreeOfParallelism = reports.Length }, build =>
            reports[build] = Compressor.Run(
                new CompressionRequest(ModelPath, null, OutputPath + build) { Cache = new LayerCache(CachePath), Threads = 2 },
                Diagnostics,
                null,
                CancellationToken.None)!);

        Assert.Empty(Diagnostics.Items);
        Assert.Equal(24, reports.Sum(report => report.CacheMisses));
        Assert.All(reports, report => Assert.Equal(24, report.CacheHits + report.CacheMisses));
        Assert.Single(reports.Select((_, build) => Convert.ToHexString(File.ReadAllBytes(OutputPath + build))).Distinct());
        Assert.Empty(Directory.GetFiles(CachePath, "*" + EntryLock.Extension, SearchOption.AllDirectories));
    }
}
