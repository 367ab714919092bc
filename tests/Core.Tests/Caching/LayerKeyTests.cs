using System.Text.Json;
using Compress.Core.Caching;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Caching;

public class KeyOfALayer
{
    private static readonly byte[] Hash = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    // Computed with Python's hashlib: SHA-256 over each part, preceded by its length in four bytes.
    [Fact]
    public void IsTheDocumentedDigest() =>
        Assert.Equal("ee23ece4a11b1e67004cb92cd150558324c4ec43131141504b2ee596d199e979", Key());

    // The same, over the salt and the digest.
    [Fact]
    public void CCH_07_SaltGivesTheEntryAnotherName() =>
        Assert.Equal(
            ("ee23ece4a11b1e67004cb92cd150558324c4ec43131141504b2ee596d199e979", "73e1d13febbcb2885b42c50db0139b4de66e5e02ef216032ebbe872780213a06"),
            (Make().EntryName(""), Make().EntryName("salt")));

    [Fact]
    public void CCH_07_ChangesWithEveryPart()
    {
        byte[] otherHash = [.. Hash];
        otherHash[31] ^= 1;
        string[] keys =
        [
            Key(),
            Key(codec: new FakeCodec("fake2")),
            Key(codec: new FakeCodec(version: 8)),
            Key(settings: "bits=5"),
            Key(dtype: DType.F16),
            Key(shape: [3, 2]),
            Key(shape: [23]),
            Key(hash: otherHash),
            Key(statistics: "text=1"),
        ];

        Assert.Equal(keys.Length, keys.Distinct().Count());
    }

    [Fact]
    public void CannotConfuseWhereOnePartEndsAndTheNextBegins() =>
        Assert.NotEqual(LayerKey.DigestOf(["ab", ""]), LayerKey.DigestOf(["a", "b"]));

    // What a report holds is enough to say which part changed.
    [Fact]
    public void IsTheSameAfterItHasBeenWrittenAsJsonAndRead() =>
        Assert.Equal(Make(), JsonSerializer.Deserialize<LayerKey>(JsonSerializer.Serialize(Make())));

    // Reports of older versions do not have it.
    [Fact]
    public void HasNoStatisticsWhereAReportSaysNothingOfThem() =>
        Assert.Equal(Make(), JsonSerializer.Deserialize<LayerKey>(JsonSerializer.Serialize(Make()).Replace(",\"Statistics\":\"\"", "", StringComparison.Ordinal)));

    private static string Key(
        FakeCodec? codec = null, string settings = "bits=4", DType dtype = DType.F32, long[]? shape = null, byte[]? hash = null,
        string statistics = "") =>
        Make(codec, settings, dtype, shape, hash, statistics).Digest;

    private static LayerKey Make(
        FakeCodec? codec = null, string settings = "bits=4", DType dtype = DType.F32, long[]? shape = null, byte[]? hash = null,
        string statistics = "") =>
        LayerKey.Of(codec ?? new FakeCodec(), FakeCodec.WithSettings(settings), dtype, shape ?? [2, 3], hash ?? Hash, statistics);
}
