using Compress.Tasks.Loader;

namespace Compress.Build.Tests.Loader;

public class ClassNames
{
    [Theory]
    [InlineData("stories260K", "Stories260K")]
    [InlineData("7b-chat", "_7bChat")]
    [InlineData("names", "NamesModel")]
    [InlineData("item", "ItemModel")]
    [InlineData("", "Empty")]
    public void ComeFromAnyFileName(string stem, string expected)
    {
        Assert.Equal(expected, OwnNames.LoaderName(stem));
        Assert.True(OwnNames.CanNameLoader(expected));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1a")]
    [InlineData("a b")]
    [InlineData("a.b")]
    [InlineData("a-b")]
    [InlineData("@a")]
    [InlineData("a\u0301")]
    [InlineData("Load")]
    [InlineData("Item")]
    [InlineData("Dispose")]
    public void ThatCannotNameTheClassAreRefused(string className) => Assert.False(OwnNames.CanNameLoader(className));
}
