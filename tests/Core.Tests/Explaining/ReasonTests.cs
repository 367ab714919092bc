using Compress.Core.Caching;
using Compress.Core.Explaining;

namespace Compress.Core.Tests.Explaining;

public class ReasonOfAMiss
{
    private static readonly LayerKey Key = new("higgs", 1, "p=1 n=16 groupSize=1024 seed=0", "F32", "64,96", new string('a', 64));

    [Fact]
    public void ListsEveryPartThatDiffers() => Assert.Equal(
        "codec higgs -> uniform; codec version 1 -> 2; settings p=1 n=16 groupSize=1024 seed=0 -> bits=4; dtype F32 -> BF16; "
            + "shape 64,96 -> 96,64; weights aaaaaaaa… -> bbbbbbbb…",
        Reason.Difference(Key, new("uniform", 2, "bits=4", "BF16", "96,64", new string('b', 64))));

    [Fact]
    public void ListsOnlySettingsThatDiffer() => Assert.Equal(
        "settings n=16 seed=0 -> n=8 seed=7", Reason.Difference(Key, Key with { Settings = "p=1 n=8 groupSize=1024 seed=7" }));

    [Fact]
    public void SaysWhatALastRunCannotTell()
    {
        var other = new LastRun(new Dictionary<string, LayerKey>(), "");
        Assert.Equal("the last run had no such tensor, and there is no cache to find it in", Reason.Of("w", Key, other, null, false));
        Assert.Equal("no earlier run is known here, and there is no cache to find it in", Reason.Of("w", Key, null, null, false));
        Assert.Equal("every layer is encoded anew on request", Reason.Of("w", Key, null, null, true));
    }
}
