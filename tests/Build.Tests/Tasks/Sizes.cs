using Compress.Core.Recipes;
using Compress.Tasks;

namespace Compress.Build.Tests.Tasks;

public class Sizes
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1048576", 1048576)]
    [InlineData("1 GiB", 1073741824)]
    [InlineData("1.5 kb", 1500)]
    [InlineData(" 2MiB ", 2097152)]
    [InlineData("12 B", 12)]
    public void AreRead(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long found));
        Assert.Equal(bytes, found);
    }

    [Theory]
    [InlineData("")]
    [InlineData("much")]
    [InlineData("-1")]
    [InlineData("1,5 MB")]
    [InlineData("99999999999 GiB")]
    [InlineData("MB")]
    public void OthersAreRefused(string text) => Assert.False(ByteSize.TryParse(text, out _));
}
