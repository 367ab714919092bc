using Compress.Core.Evaluation;

namespace Compress.Core.Tests.Evaluation;

public class WindowsOfATextTests
{
    private const int Bos = 99;

    private static int[] Numbers(int count) => [.. Enumerable.Range(0, count)];

    [Theory]
    [InlineData("a\n\nb", "a|b")]
    [InlineData("a\nb\n\n\n  \nc\n", "a\nb|c")]
    [InlineData("\r\n\r\na\r\n\r\nb\r\n", "a|b")]
    [InlineData(" \n \n", "")]
    public void ParagraphsStandBetweenBlankLines(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', EvaluationWindows.Paragraphs(text)));

    [Fact]
    public void ParagraphIsCutToOneWindow()
    {
        var windows = EvaluationWindows.OfParagraphs([Numbers(10), Numbers(2), [], Numbers(1)], 4, Bos).ToArray();
        Assert.Equal([[Bos, 0, 1, 2], [Bos, 0, 1], [Bos, 0]], windows.Select(window => window.Tokens));
        Assert.Equal([3, 2, 1], windows.Select(window => window.Counted));
        Assert.Equal([[0, 1, 2, 3], [0, 1]], EvaluationWindows.OfParagraphs([Numbers(10), Numbers(2), [], Numbers(1)], 4, null).Select(window => window.Tokens));
    }

    [Fact]
    public void DocumentIsCutIntoWindowsThatDoNotOverlap()
    {
        var windows = EvaluationWindows.OfDocument(Numbers(7), 4, null, Bos).ToArray();
        Assert.Equal([[Bos, 0, 1, 2], [Bos, 3, 4, 5], [Bos, 6]], windows.Select(window => window.Tokens));
        Assert.Equal(7, windows.Sum(window => window.Counted));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(100, true)]
    [InlineData(1, false)]
    [InlineData(3, false)]
    public void EveryTokenIsPredictedOnce(int stride, bool bos)
    {
        foreach (int length in (int[])[2, 4, 5, 9, 23])
        {
            var predicted = EvaluationWindows.OfDocument(Numbers(length), 5, stride, bos ? Bos : null)
                .SelectMany(window => window.Tokens.Skip(window.FirstCounted)).ToArray();
            // Without a token for the beginning, what begins a window that overlaps nothing is not predicted.
            int[] expected = bos ? Numbers(length) : [.. Numbers(length).Where(token => token != 0 && (stride < 5 || token % 5 != 0))];
            Assert.Equal(expected, predicted);
        }
    }

    [Fact]
    public void StrideGivesContext()
    {
        var second = EvaluationWindows.OfDocument(Numbers(8), 5, 2, Bos).ElementAt(1);
        Assert.Equal([Bos, 2, 3, 4, 5], second.Tokens);
        Assert.Equal(2, second.Counted); // 4 and 5; 2 and 3 were predicted before
    }
}
