using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Caching;

public abstract class CacheTest : IDisposable
{
    protected const string Key = "ab12";
    private readonly TempFolder folder = new();

    protected CacheTest() => Cache = new LayerCache(folder["cache"]);

    internal LayerCache Cache { get; }

    internal DiagnosticBag Diagnostics { get; } = new();

    protected string EntryPath => EntryOf(Key);

    protected string EntryOf(string name) => Directory.GetFiles(folder.Path, name + ".layer", SearchOption.AllDirectories).Single();

    protected string[] Names() =>
        [.. Directory.GetFiles(folder.Path, "*.layer", SearchOption.AllDirectories).Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The same folder, as another process sees it.</summary>
    internal LayerCache NewCache() => new(folder["cache"]);

    internal LayerEntry Write(string key = Key, params byte[] codes) => Write(Cache, key, codes);

    internal static LayerEntry Write(LayerCache cache, string key, params byte[] codes) =>
        cache.Write(key, FakeCodec.Encoded(codes.Length == 0 ? [1, 2, 3] : codes), DType.F32, [1, 3], new ErrorSums(4, 0.25));

    internal static byte[] Bytes(StoredArray array)
    {
        using var stream = new MemoryStream();
        array.CopyTo(stream);
        return stream.ToArray();
    }
}

public class WrittenEntry : CacheTest
{
    [Fact]
    public void IsFoundWithItsArraysUnderTheTensorsName()
    {
        Write();

        var entry = Cache.TryRead(Key, Diagnostics);

        Assert.NotNull(entry);
        var packed = entry.As("layer.weight");
        Assert.Equal(["::table", "layer.weight::codes"], packed.Arrays.Select(array => array.Name).Order(StringComparer.Ordinal));
        Assert.Equal([1, 2, 3], Bytes(packed.Arrays.Single(array => array.Name == "layer.weight::codes")));
        Assert.Equal(new ErrorSums(4, 0.25), entry.Error);
        Assert.Equal("""{"codec":"fake","dtype":"F32","shape":[1,3],"bits":4,"seed":0,"shared":["table"]}""", packed.Description!.Value.GetRawText());
        Assert.Empty(Diagnostics.Items);
    }

    [Fact]
    public void DoesNotDependOnWhenItWasWritten()
    {
        Write();
        byte[] first = File.ReadAllBytes(EntryPath);
        Cache.Clear();
        Write();

        Assert.Equal(first, File.ReadAllBytes(EntryPath));
    }

    [Fact]
    public void IsReplacedByALaterOne()
    {
        Write(codes: [1, 2, 3]);
        Write(codes: [4, 5, 6]);

        Assert.Equal([4, 5, 6], Bytes(Cache.TryRead(Key, Diagnostics)!.As("w").Arrays.Single(array => array.DType == DType.U8)));
    }
}

public class AbsentEntry : CacheTest
{
    [Fact]
    public void IsNotFoundAndNoComplaint()
    {
        Assert.Null(Cache.TryRead(Key, Diagnostics));
        Assert.Empty(Diagnostics.Items);
    }
}

public class DamagedEntry : CacheTest
{
    [Fact]
    public void IsNoticedWhicheverByteIsFlipped()
    {
        Write();
        byte[] good = File.ReadAllBytes(EntryPath);
        string path = EntryPath;
        for (int position = 0; position < good.Length; position++)
        {
            byte[] bad = [.. good];
            bad[position] ^= 0x10;
            File.WriteAllBytes(path, bad);

            Assert.Null(Cache.TryRead(Key, Diagnostics));
            Assert.False(File.Exists(path));
        }

        Assert.Equal(good.Length, Diagnostics.Items.Count);
        Assert.All(Diagnostics.Items, item => Assert.Equal((Codes.CacheEntryDamaged, Severity.Message), (item.Code, item.Severity)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(100)]
    [InlineData(-1)]
    public void IsNoticedWhereverItIsCutOff(int length)
    {
        Write();
        byte[] good = File.ReadAllBytes(EntryPath);
        File.WriteAllBytes(EntryPath, good[..(length < 0 ? good.Length + length : length)]);

        Assert.Null(Cache.TryRead(Key, Diagnostics));
        Assert.Equal(Codes.CacheEntryDamaged, Assert.Single(Diagnostics.Items).Code);
    }

    [Fact]
    public void IsFoundAndRemovedByVerify()
    {
        Write("aa11");
        Write();
        File.AppendAllText(EntryPath, "x");

        Assert.Equal((2, 1), Cache.Verify(Diagnostics, CancellationToken.None));
        Assert.Equal(1, Cache.Statistics().Entries);
    }
}

public class FullCache : CacheTest
{
    [Fact]
    public void LosesTheLeastRecentlyUsedEntries()
    {
        Write("aa01");
        Write("bb02");
        Write("cc03");
        long one = Cache.Statistics().Bytes / 3;
        foreach (var (key, hoursAgo) in new[] { ("aa01", 10), ("bb02", 30), ("cc03", 20) })
        {
            string path = Directory.GetFiles(Cache.Directory, key + ".layer", SearchOption.AllDirectories).Single();
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-hoursAgo));
        }

        Cache.TryRead("bb02", Diagnostics); // now the most recently used

        Assert.Equal((1, one), Cache.Trim((2 * one) + 1));
        Assert.NotNull(Cache.TryRead("aa01", Diagnostics));
        Assert.NotNull(Cache.TryRead("bb02", Diagnostics));
        Assert.Null(Cache.TryRead("cc03", Diagnostics));
    }

    [Fact]
    public void IsEmptyAfterClear()
    {
        Write("aa01");
        Write("bb02");

        Assert.Equal(2, Cache.Clear().Entries);
        Assert.Equal((0, 0L), Cache.Statistics());
    }
}

public class ManyWritersAndReadersOfOneKey : CacheTest
{
    [Fact]
    public void NeverSeeATornEntry()
    {
        Write();
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            if (i % 4 == 0)
            {
                Write(codes: [.. Enumerable.Repeat((byte)i, 1000 + i)]);
            }
            else
            {
                Assert.NotNull(Cache.TryRead(Key, Diagnostics));
            }
        });

        Assert.Empty(Diagnostics.Items);
    }
}
