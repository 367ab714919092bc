using Compress.Cli.Console;

namespace Compress.Cli.Tests.Output;

public class Quantities
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1, "1 byte")]
    [InlineData(999, "999 bytes")]
    [InlineData(1000, "1.00 kB")]
    [InlineData(9994, "9.99 kB")]
    [InlineData(9995, "10.0 kB")]
    [InlineData(99_949, "99.9 kB")]
    [InlineData(99_950, "100 kB")]
    [InlineData(999_499, "999 kB")]
    [InlineData(999_500, "1.00 MB")]
    [InlineData(1_040_128, "1.04 MB")]
    [InlineData(2_000_000_000, "2.00 GB")]
    [InlineData(long.MaxValue, "9.22 EB")]
    public void BytesHaveThreeDigits(long bytes, string expected) => Assert.Equal(expected, Quantity.Bytes(bytes));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("12 b", 12)]
    [InlineData("2GB", 2_000_000_000)]
    [InlineData("2g", 2_000_000_000)]
    [InlineData("500 MB", 500_000_000)]
    [InlineData("1.5GiB", 1_610_612_736)]
    [InlineData("1KiB", 1024)]
    [InlineData(" 3 tb ", 3_000_000_000_000)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void SizesAreRead(string text, long expected)
    {
        Assert.True(Quantity.TryParseBytes(text, out long bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GB")]
    [InlineData("-1")]
    [InlineData("1,5GB")]
    [InlineData("1e9")]
    [InlineData("2 GBit")]
    [InlineData("1.2.3")]
    [InlineData("9223372036854775808")]
    [InlineData("10000000000 GB")]
    [InlineData("99999999999999999999999999999999999999")]
    public void WhatIsNoSizeIsRefused(string text) => Assert.False(Quantity.TryParseBytes(text, out _));

    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(999, "999 ms")]
    [InlineData(1000, "1.0 s")]
    [InlineData(59_949, "59.9 s")]
    [InlineData(60_000, "1 min 0 s")]
    [InlineData(245_900, "4 min 5 s")]
    public void Durations(long milliseconds, string expected) => Assert.Equal(expected, Quantity.Duration(milliseconds));

    [Fact]
    public void NumbersAreInvariant()
    {
        Assert.Equal("260,032", Quantity.Count(260_032));
        Assert.Equal("4.02", Quantity.Bits(4.0156));
        Assert.Equal("0.0961", Quantity.Error(0.09612));
        Assert.Equal("7.81x", Quantity.Ratio(1000, 128));
        Assert.Equal("-", Quantity.Ratio(0, 0));
        Assert.Equal("[172, 64]", Quantity.Shape([172, 64]));
        Assert.Equal("[]", Quantity.Shape([]));
    }
}
