using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;

namespace Compress.Cli.Tests.Output;

public class UnexpectedFailures
{
    [Fact]
    public void AreOursAndAskForAReport()
    {
        var diagnostic = Failures.Describe(new InvalidOperationException("two\nlines"));
        Assert.Equal(
            "compress: error CMPR5001: unexpected InvalidOperationException: two lines; this is a fault of compress: please report it, with what '--verbose' shows",
            diagnostic.ToString());
    }

    [Fact]
    public void OfOtherThreadsAreUnwrapped()
    {
        var inner = new CompressException(Codes.ModelNonFinite, "text");
        Assert.Same(inner.Diagnostic, Failures.Describe(new AggregateException(new AggregateException(inner), inner)));
    }

    [Fact]
    public void OfFilesKeepTheirCodes()
    {
        Assert.Equal(Codes.ModelMalformed, Failures.Describe(new ModelFormatException("/m", "text")).Code);
        Assert.Equal(Codes.FileAccess, Failures.Describe(new IOException("text")).Code);
        Assert.Equal(Codes.FileAccess, Failures.Describe(new UnauthorizedAccessException("text")).Code);
        Assert.Equal(Codes.OutOfMemory, Failures.Describe(new InsufficientMemoryException()).Code);
    }

    [Theory]
    [InlineData(28)] // ENOSPC
    [InlineData(unchecked((int)0x80070070))] // ERROR_DISK_FULL
    public void FullDiskSaysSo(int code)
    {
        var exception = Assert.Throws<CompressException>(
            () => Failures.Writing("/out/report.json", "the report", () => throw new IOException("text", code)));
        Assert.Equal(
            "/out/report.json(1,1): error CMPR4001: the report cannot be written: the disk is full; free some space",
            exception.Diagnostic.ToString());
    }
}
