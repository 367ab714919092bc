using System.Diagnostics;
using Compress.Core.Caching;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Caching;

public class TidyingAfterABuild : CacheTest
{
    private static readonly DateTime LongAgo = DateTime.UtcNow.AddDays(-3);

    [Fact]
    public void CCH_06_RemovesTheLeastRecentlyUsedButNothingThatTheBuildUsed()
    {
        long one = Old("aa01", "bb02", "cc03");
        var build = NewCache();
        build.TryRead("aa01", Diagnostics);
        Write(build, "dd04");

        build.Tidy(3 * one);

        Assert.Equal(["aa01", "dd04"], Names());
    }

    [Fact]
    public void DoesNothingBelowTheLimit()
    {
        long one = Old("aa01", "bb02");
        var build = NewCache();
        Write(build, "dd04");

        build.Tidy(3 * one);

        Assert.Equal(["aa01", "bb02", "dd04"], Names());
    }

    [Fact]
    public void DoesNothingWhereNothingWasWritten()
    {
        Old("aa01", "bb02");
        var build = NewCache();
        build.TryRead("aa01", Diagnostics);

        build.Tidy(1);

        Assert.Equal(["aa01", "bb02"], Names());
    }

    [Fact]
    public void LooksOnceInTenMinutesUnlessTheLimitChanges()
    {
        long one = Old("aa01");
        Tidied("dd04", 9 * one);
        Old("bb02");
        Tidied("ee05", one); // another limit: a look
        Assert.Equal(["ee05"], Names());
        Old("cc03");

        Tidied("ff06", one); // too soon

        Assert.Equal(["cc03", "ee05", "ff06"], Names());
        foreach (string look in Directory.GetFiles(Cache.Directory, "last-look", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(look, DateTime.UtcNow.AddMinutes(11)); // a clock that was wrong is no reason to wait either
        }

        Tidied("0a07", one);
        Assert.Equal(["0a07"], Names());
    }

    [Fact]
    public void GoesOnWhereAnotherBuildIsAtIt()
    {
        long one = Old("aa01", "bb02");
        var build = NewCache();
        Write(build, "dd04");
        string look = Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(EntryOf("dd04")))!, "last-look");
        using (new FileStream(look, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            build.Tidy(one);
        }

        Assert.Equal(3, Names().Length);
    }

    private long Old(params string[] names)
    {
        foreach (string name in names)
        {
            Write(Cache, name);
            File.SetLastWriteTimeUtc(EntryOf(name), LongAgo);
        }

        return new FileInfo(EntryOf(names[0])).Length;
    }

    private void Tidied(string written, long limit)
    {
        foreach (string name in Names())
        {
            File.SetLastWriteTimeUtc(EntryOf(name), LongAgo);
        }

        var build = NewCache();
        Write(build, written);
        build.Tidy(limit);
    }
}

public class WhatKilledProcessesLeave : CacheTest
{
    [Fact]
    public void GoesWithTheNextTrim()
    {
        string folder = HalfWritten();
        File.WriteAllText(Path.Combine(folder, $"{Key}.layer.lock"), "");

        Cache.Trim(long.MaxValue);

        Assert.Equal([EntryOf(Key)], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public void StaysWhileItsOwnerLives()
    {
        string folder = HalfWritten();
        Assert.True(Cache.TryLock(Key, out var held));
        using (held)
        {
            Cache.Clear();
            Assert.Equal([$".{Key}.layer.0123.tmp", $"{Key}.layer.lock"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        }

        Assert.Equal([$".{Key}.layer.0123.tmp"], Directory.GetFiles(folder).Select(Path.GetFileName));
    }

    private string HalfWritten()
    {
        Write();
        string file = Path.Combine(Path.GetDirectoryName(EntryOf(Key))!, $".{Key}.layer.0123.tmp");
        File.WriteAllText(file, "half");
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(-1));
        return Path.GetDirectoryName(file)!;
    }

    [Fact]
    public void OfAnEarlierFormatCountsAndGoesToo()
    {
        Write();
        Directory.CreateDirectory(Path.Combine(Cache.Directory, "v0", "aa"));
        File.WriteAllText(Path.Combine(Cache.Directory, "v0", "aa", "aa.layer"), "of an earlier version");
        File.WriteAllText(Path.Combine(Cache.Directory, "notes.layer"), "not ours");

        Assert.Equal(2, Cache.Statistics().Entries);
        Assert.Equal((1, 0), Cache.Verify(Diagnostics, CancellationToken.None));
        Assert.Equal(2, Cache.Clear().Entries);
        Assert.True(File.Exists(Path.Combine(Cache.Directory, "notes.layer")));
    }
}

public class ClockSetBack : CacheTest
{
    [Fact]
    public void MakesEntriesOfTheFutureTheFirstToGoUnlessTheyAreUsed()
    {
        foreach (var (name, days) in new[] { ("aa01", 400), ("bb02", -1), ("cc03", 500) })
        {
            Write(name);
            File.SetLastWriteTimeUtc(EntryOf(name), DateTime.UtcNow.AddDays(days));
        }

        Assert.NotNull(NewCache().TryRead("cc03", Diagnostics));
        Assert.InRange(File.GetLastWriteTimeUtc(EntryOf("cc03")), DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5));

        Cache.Trim((2 * new FileInfo(EntryOf("aa01")).Length) + 1);

        Assert.Equal(["bb02", "cc03"], Names());
    }
}

public class Verifying : CacheTest
{
    [Fact]
    public void IsNoUse()
    {
        Write();
        var before = DateTime.UtcNow.AddDays(-30);
        File.SetLastWriteTimeUtc(EntryOf(Key), before);

        NewCache().Verify(Diagnostics, CancellationToken.None);

        Assert.Equal(before, File.GetLastWriteTimeUtc(EntryOf(Key)), TimeSpan.FromSeconds(1));
    }
}

public class TrimmingBesideReadersAndWriters : CacheTest
{
    [Fact]
    public void CCH_06_NeverShowsATornEntryAndNeverFails()
    {
        int found = 0;
        var busy = Stopwatch.StartNew();
        do
        {
            Parallel.For(0, 600, new ParallelOptions { MaxDegreeOfParallelism = 8 }, Act);
        }
        while (found == 0 && busy.Elapsed < TimeSpan.FromMinutes(1)); // chance decides whether a reader comes between a writer and a trimmer

        Assert.Empty(Diagnostics.Items);
        Assert.True(found > 0);
        Assert.Equal((Names().Length, 0), Cache.Verify(Diagnostics, CancellationToken.None));

        void Act(int i)
        {
            string name = $"{(i * 7) % 20:x2}00";
            switch (i % 6)
            {
                case 0:
                    Cache.Trim(i % 12 == 0 ? 0 : 4000);
                    break;
                case 1 or 2:
                    NewCache().TryWrite(name, FakeCodec.Encoded(1, 2, 3), DType.F32, [1, 3], new ErrorSums(4, 0.25), Diagnostics);
                    break;
                case 3:
                    Cache.Statistics();
                    break;
                default:
                    Interlocked.Add(ref found, NewCache().TryRead(name, Diagnostics) is null ? 0 : 1);
                    break;
            }
        }
    }
}

/// <summary>Windows refuses to replace a file that another process has open.</summary>
public class EntryThatIsOpenElsewhere : CacheTest
{
    [Fact]
    public void CCH_05_IsTakenIfItIsGood()
    {
        Write();
        var entry = TryWrite(Refusing());

        Assert.NotNull(entry);
        Assert.Empty(Diagnostics.Items);
    }

    [Fact]
    public void CCH_05_IsAWarningIfItIsNot()
    {
        var cache = Refusing();

        Assert.Null(TryWrite(cache));
        Assert.Null(TryWrite(cache));

        Assert.Equal(["CMPR3001"], Diagnostics.Items.Select(item => item.Code)); // once
    }

    private LayerEntry? TryWrite(LayerCache cache) =>
        cache.TryWrite(Key, FakeCodec.Encoded(1, 2, 3), DType.F32, [1, 3], new ErrorSums(4, 0.25), Diagnostics);

    private LayerCache Refusing() => new(Cache.Directory)
    {
        WriteFile = (path, _) => throw new IOException($"The process cannot access the file '{path}' because it is being used by another process.", unchecked((int)0x80070020)),
    };
}
