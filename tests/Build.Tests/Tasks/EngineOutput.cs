using Compress.Tasks;

namespace Compress.Build.Tests.Tasks;

public class EngineOutput
{
    [Fact]
    public void DiagnosticHasFileLineAndColumn() => Assert.Equal(
        new DiagnosticLine("/a b/compress.yaml", 7, 5, "error", "CMPR1004", "'bits': found 12"),
        DiagnosticLine.Parse("/a b/compress.yaml(7,5): error CMPR1004: 'bits': found 12"));

    [Fact]
    public void PathMayLookLikeADiagnosticItself() => Assert.Equal(
        new DiagnosticLine(@"C:\x(1,2): error CMPR1000: y (copy)\r.yaml", 3, 4, "warning", "CMPR1007", "a: b(1,1): c"),
        DiagnosticLine.Parse(@"C:\x(1,2): error CMPR1000: y (copy)\r.yaml(3,4): warning CMPR1007: a: b(1,1): c"));

    [Fact]
    public void MessageIsNeitherErrorNorWarning() => Assert.Equal(
        new DiagnosticLine("/c/ab.layer", 1, 1, "message", "CMPR3002", "damaged"),
        DiagnosticLine.Parse("/c/ab.layer(1,1): message CMPR3002: damaged"));

    [Fact]
    public void DiagnosticMayBeOfNoFile() =>
        Assert.Equal(new DiagnosticLine(null, 1, 1, "error", "CMPR5001", "oops"), DiagnosticLine.Parse("compress: error CMPR5001: oops"));

    [Theory]
    [InlineData("summary: stories: 1 MB")]
    [InlineData("Unhandled exception: error CS1234: no")]
    [InlineData("")]
    public void OtherLinesAreNone(string line) => Assert.Null(DiagnosticLine.Parse(line));
}
