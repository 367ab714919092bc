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
        Assert.Equal("3247cdd7a95ac23cbeddc80e975247778a387117e2a08310f95ba7f32e8263c5", Key());

    // The same, over the salt and the digest.
    [Fact]
    public void CCH_07_SaltGivesTheEntryAnotherName() =>
        Assert.Equal(
            ("3247cdd7a95ac23cbeddc80e975247778a387117e2a08310f95ba7f32e8263c5", "c7f278262b3346ea56b373dfb691ff6bd96e08e483db590e12260ff8413962da"),
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

    private static string Key(
        FakeCodec? codec = null, string settings = "bits=4", DType dtype = DType.F32, long[]? shape = null, byte[]? hash = null) =>
        Make(codec, settings, dtype, shape, hash).Digest;

    private static LayerKey Make(
        FakeCodec? codec = null, string settings = "bits=4", DType dtype = DType.F32, long[]? shape = null, byte[]? hash = null) =>
        LayerKey.Of(codec ?? new FakeCodec(), FakeCodec.WithSettings(settings), dtype, shape ?? [2, 3], hash ?? Hash);
}
