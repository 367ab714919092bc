using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Tests.Container;

/// <summary>
/// The digests are SHA-256 over the little-endian floats of all codes but NaNs, in the order of the codes, computed with Python's
/// struct module (F16) and from the definition of the OCP 8-bit floating point specification in Python.
/// </summary>
public class NarrowFloats
{
    [Theory]
    [InlineData(DType.F16, 65536, 63490, "680bbc22915f61aa1bbfc7265bc3882a6aa42d299bfd2c571807196e5544de2e")]
    [InlineData(DType.F8E4M3, 256, 254, "f275e267d1b70f2c583fa6b5c47be61348a1aa22f7aa676cc5a0fb66798646a5")]
    [InlineData(DType.F8E5M2, 256, 250, "57efec4fe37066568dbeebe9133167e7145d3444b34fdc0064fc4da33f4f1b2b")]
    public void HaveTheValuesOfTheirDefinition(DType type, int codes, int numbers, string digest)
    {
        float[] values = [.. Convert(type, AllCodes(type, codes)).Where(value => !float.IsNaN(value))];

        Assert.Equal(numbers, values.Length);
        Assert.Equal(digest, System.Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(values))));
    }

    [Theory]
    [InlineData(DType.F16, new int[] { 0x7C01, 0x7E00, 0x7FFF, 0xFC01, 0xFE00 })]
    [InlineData(DType.BF16, new int[] { 0x7F81, 0x7FC0, 0xFFFF })]
    [InlineData(DType.F8E4M3, new int[] { 0x7F, 0xFF })]
    [InlineData(DType.F8E5M2, new int[] { 0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF })]
    public void HaveTheNaNsOfTheirDefinition(DType type, int[] codes)
    {
        float[] values = Convert(type, AllCodes(type, type.SizeInBytes() == 1 ? 256 : 65536));
        Assert.All(codes, code => Assert.True(float.IsNaN(values[code])));
        Assert.All(codes, code => Assert.Equal(code >= values.Length / 2, float.IsNegative(values[code])));
    }

    [Theory]
    [InlineData(DType.F8E4M3, 0x7E, 448)] // the largest
    [InlineData(DType.F8E4M3, 0x01, 0.001953125)] // 2^-9, the smallest subnormal
    [InlineData(DType.F8E4M3, 0x80, -0.0)]
    [InlineData(DType.F8E5M2, 0x7B, 57344)]
    [InlineData(DType.F8E5M2, 0xFC, double.NegativeInfinity)]
    [InlineData(DType.F8E5M2, 0x01, 0.0000152587890625)] // 2^-16
    public void HaveTheExtremesOfTheirSpecification(DType type, byte code, double expected) =>
        Assert.Equal(BitConverter.SingleToInt32Bits((float)expected), BitConverter.SingleToInt32Bits(Convert(type, [code])[0]));

    [Fact]
    public void OfBFloat16AreTheUpperHalvesOfFloats()
    {
        float[] values = Convert(DType.BF16, AllCodes(DType.BF16, 65536));
        for (int code = 0; code < values.Length; code++)
        {
            Assert.Equal((uint)code << 16, BitConverter.SingleToUInt32Bits(values[code]));
        }
    }

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void AreTheSameAtEveryLengthAndAlignment(DType type)
    {
        byte[] all = AllCodes(type, 65536);
        float[] expected = Convert(type, all);
        for (int length = 0; length <= 70; length++)
        {
            byte[] shifted = [0, .. all.AsSpan(2 * 31_000, 2 * length)]; // about the infinities
            float[] values = new float[length];
            Elements.ToFloat(type, shifted.AsSpan(1), values);
            Assert.True(MemoryMarshal.AsBytes<float>(values).SequenceEqual(MemoryMarshal.AsBytes<float>(expected).Slice(4 * 31_000, 4 * length)));
        }
    }

    private static byte[] AllCodes(DType type, int codes) =>
        [.. Enumerable.Range(0, codes).SelectMany(code => BitConverter.GetBytes((ushort)code)[..type.SizeInBytes()])];

    private static float[] Convert(DType type, byte[] bytes)
    {
        float[] values = new float[bytes.Length / type.SizeInBytes()];
        Elements.ToFloat(type, bytes, values);
        return values;
    }
}

public class WideNumbers
{
    [Theory]
    [InlineData(1.0, 1f)]
    [InlineData(1.0000000596046448, 1f)] // 1 + 2^-24 lies between two floats: the even one
    [InlineData(1.000000059604645, 1.00000011920928955f)] // the double just above
    [InlineData(1e-45, 1e-45f)]
    [InlineData(3.4028235677973362e38, 3.40282347e38f)] // the last that rounds to the largest float
    [InlineData(3.4028235677973366e38, float.PositiveInfinity)]
    [InlineData(-1e300, float.NegativeInfinity)]
    public void OfF64AreRoundedToTheNearestFloat(double value, float expected) =>
        Assert.Equal(expected, Convert(DType.F64, BitConverter.GetBytes(value)));

    [Fact]
    public void OfIntegersAreRoundedToTheNearestFloat()
    {
        Assert.Equal(-128f, Convert(DType.I8, [0x80]));
        Assert.Equal(255f, Convert(DType.U8, [0xFF]));
        Assert.Equal(1f, Convert(DType.Bool, [1]));
        Assert.Equal(-32768f, Convert(DType.I16, [0, 0x80]));
        Assert.Equal(32768f, Convert(DType.U16, [0, 0x80]));
        Assert.Equal(16777216f, Convert(DType.I32, BitConverter.GetBytes(16777217))); // a tie: the even one
        Assert.Equal(4294967296f, Convert(DType.U32, BitConverter.GetBytes(uint.MaxValue)));
        Assert.Equal(-9223372036854775808f, Convert(DType.I64, BitConverter.GetBytes(long.MinValue)));
        Assert.Equal(18446744073709551616f, Convert(DType.U64, BitConverter.GetBytes(ulong.MaxValue)));
        Assert.Equal(9223373136366403584f, Convert(DType.U64, BitConverter.GetBytes((1UL << 63) + (1UL << 39) + 1))); // just above a tie
    }

    [Fact]
    public void OfF32AreTheirBits()
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, 0x7F80_0001); // a signalling NaN
        Assert.Equal(0x7F80_0001u, BitConverter.SingleToUInt32Bits(Convert(DType.F32, bytes)));
    }

    private static float Convert(DType type, byte[] bytes)
    {
        float[] value = new float[1];
        Elements.ToFloat(type, bytes, value);
        return value[0];
    }
}
