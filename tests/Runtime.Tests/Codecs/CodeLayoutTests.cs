using System.Numerics;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Tests.Codecs;

public class CodeLayoutTests
{
    private static readonly int[] Sizes = [.. Enumerable.Range(2, 255), 257, 512, 830, 1000, 2049, 4095, 4096];

    [Fact]
    public void CodeTakesAtMostOnePercentMoreThanItsInformation()
    {
        const int Count = 1 << 20;
        Assert.All(Sizes, n => Assert.InRange(8.0 * CodeLayout.Of(n).RowBytes(Count) / Count / Math.Log2(n), 0.99999, 1.01));
    }

    [Fact]
    public void PowersOfTwoArePlain()
    {
        Assert.All(Sizes.Where(n => BitOperations.IsPow2(n)), n => Assert.True(CodeLayout.Of(n).IsPlain));
        ushort[] codes = [.. Enumerable.Range(0, 75).Select(i => (ushort)(i % 32))];
        byte[] packed = new byte[CodePacking.RowBytes(75, 5)], plain = new byte[packed.Length];
        CodeLayout.Of(32).Pack(codes, packed);
        CodePacking.Pack(codes, 5, plain);
        Assert.Equal(plain, packed);
    }

    // By hand: of 3 = 1·3 values 111 digits take 22 bytes (3^111 ≤ 256^22 < 3^112), which no other word of up to 32 bytes beats.
    [Theory]
    [InlineData(3, 0, 3, 111, 22)]
    [InlineData(12, 2, 3, 111, 22)]
    [InlineData(88, 3, 11, 37, 16)]
    [InlineData(5, 0, 5, 31, 9)]
    [InlineData(256, 8, 1, 0, 0)]
    public void LayoutIsTheShortest(int n, int lowBits, int radix, int digits, int bytes)
    {
        var layout = CodeLayout.Of(n);
        Assert.Equal((lowBits, radix, digits, bytes), (layout.LowBits, layout.Radix, layout.WordDigits, layout.WordBytes));
    }

    // ceil(x · 256^bytes / 3^digits) of the digits 2 0 1, which are 19: ceil(19 · 256 / 27) = 181.
    [Fact]
    public void WordIsAFraction()
    {
        byte[] packed = new byte[1];
        CodeLayout.Of(3).Pack([2, 0, 1], packed);
        Assert.Equal(181, packed[0]);
    }

    [Fact]
    public void UnpackInvertsPackForEveryNumberOfPointsAndLength()
    {
        foreach (int n in Sizes)
        {
            var layout = CodeLayout.Of(n);
            var random = new Random(n);
            foreach (int length in (int[])[0, 1, 2, 5, 31, 32, 33, layout.WordDigits, layout.WordDigits + 1, 200, 333])
            {
                RoundTrip(layout, [.. Enumerable.Range(0, length).Select(_ => (ushort)random.Next(n))]);
                RoundTrip(layout, [.. Enumerable.Repeat((ushort)(n - 1), length)]);
                RoundTrip(layout, new ushort[length]);
            }
        }
    }

    // No bytes are wrong: a code may be one that has no point, but never one that the kernels' tables do not have.
    [Fact]
    public void AnyBytesGiveCodesWithinTheTable()
    {
        foreach (int n in Sizes)
        {
            var layout = CodeLayout.Of(n);
            byte[] packed = new byte[layout.RowBytes(300)];
            ushort[] codes = new ushort[300];
            new Random(n).NextBytes(packed);
            layout.Unpack(packed, codes);
            Assert.All(codes, code => Assert.InRange(code, 0, (1 << layout.Bits) - 1));
            packed.AsSpan().Fill(255);
            layout.Unpack(packed, codes);
            Assert.All(codes, code => Assert.InRange(code, 0, (1 << layout.Bits) - 1));
        }
    }

    private static void RoundTrip(CodeLayout layout, ushort[] codes)
    {
        byte[] packed = new byte[layout.RowBytes(codes.Length)];
        ushort[] unpacked = new ushort[codes.Length];
        Array.Fill(packed, (byte)0xA5); // what was there before must not matter
        Array.Fill(unpacked, (ushort)0xA5A5);
        layout.Pack(codes, packed);
        layout.Unpack(packed, unpacked);
        Assert.True(codes.AsSpan().SequenceEqual(unpacked), $"n = {layout.N}, {codes.Length} codes");
    }
}
