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

    [Fact]
    public void ChangesWithEveryIngredient()
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

    private static string Key(
        FakeCodec? codec = null, string settings = "bits=4", DType dtype = DType.F32, long[]? shape = null, byte[]? hash = null) =>
        LayerKey.Of(codec ?? new FakeCodec(), FakeCodec.WithSettings(settings), dtype, shape ?? [2, 3], hash ?? Hash).Digest;
}
