using System.Buffers.Binary;
using Compress.Core.Caching;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;
using Xunit.Abstractions;

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

public class DamagedEntry(ITestOutputHelper output) : CacheTest
{
    [Fact]
    public void CCH_02_IsNoticedWhicheverByteIsFlipped()
    {
        Write();
        string path = EntryPath;
        byte[] good = File.ReadAllBytes(path);
        var flipped = new SortedDictionary<string, int>();
        for (int position = 0; position < good.Length; position++)
        {
            byte[] bad = [.. good];
            bad[position] ^= (byte)(1 << (position % 8));
            File.WriteAllBytes(path, bad);

            Assert.Null(Cache.TryRead(Key, Diagnostics));
            Assert.False(File.Exists(path));
            string part = PartOf(good, position);
            flipped[part] = flipped.GetValueOrDefault(part) + 1;
        }

        Assert.Equal(good.Length, Diagnostics.Items.Count);
        Assert.All(Diagnostics.Items, item => Assert.Equal((Codes.CacheEntryDamaged, Severity.Message), (item.Code, item.Severity)));
        Assert.Equal(["array of bytes", "array of floats", "checksum", "header", "header's length", "padding"], flipped.Keys);
        output.WriteLine($"{good.Length} bytes flipped: {string.Join(", ", flipped.Select(pair => $"{pair.Key} {pair.Value}"))}");
    }

    [Fact]
    public void CCH_02_IsNoticedWhereverItIsCutOff()
    {
        Write();
        string path = EntryPath;
        byte[] good = File.ReadAllBytes(path);
        for (int length = 0; length < good.Length; length++)
        {
            File.WriteAllBytes(path, good[..length]);

            Assert.Null(Cache.TryRead(Key, Diagnostics));
            Assert.False(File.Exists(path));
        }

        Assert.Equal(good.Length, Diagnostics.Items.Count);
        Assert.All(Diagnostics.Items, item => Assert.Equal(Codes.CacheEntryDamaged, item.Code));
        output.WriteLine($"cut off at {good.Length} lengths, 0 included");
    }

    // The layout of an entry: docs/format.md, and a SHA-256 behind it. The arrays: two floats, three bytes.
    private static string PartOf(byte[] entry, int position)
    {
        int headerEnd = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(entry);
        int jsonEnd = Array.LastIndexOf(entry, (byte)'}', headerEnd - 1) + 1;
        return position < 8 ? "header's length"
            : position < jsonEnd ? "header"
            : position < headerEnd ? "padding"
            : position < headerEnd + 8 ? "array of floats"
            : position < entry.Length - 32 ? "array of bytes"
            : "checksum";
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
