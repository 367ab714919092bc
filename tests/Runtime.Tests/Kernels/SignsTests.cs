using Compress.Runtime.Numerics;

namespace Compress.Runtime.Tests.Kernels;

public class SignsTests
{
    // Published outputs of SplitMix64 (Vigna's splitmix64.c) for seed 1234567.
    [Theory]
    [InlineData(0, 6457827717110365317)]
    [InlineData(1, 3203168211198807973)]
    [InlineData(2, 9817491932198370423)]
    [InlineData(3, 4593380528125082431)]
    [InlineData(4, 16408922859458223821)]
    public void WordsAreSplitMix64(int index, ulong word) => Assert.Equal(word, Signs.Word(1234567, index));

    [Fact]
    public void ASetBitNegatesItsColumn()
    {
        float[] row = [.. Enumerable.Repeat(1f, 150)];
        Signs.Flip(row, 42, 0);
        for (int column = 0; column < row.Length; column++)
        {
            bool negative = ((Signs.Word(42, column / 64) >> (column % 64)) & 1) == 1;
            Assert.Equal(negative ? -1f : 1f, row[column]);
        }
    }
}
