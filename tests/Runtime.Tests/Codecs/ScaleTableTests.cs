using System.Text.Json;
using Compress.Runtime.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Tests.Codecs;

public class ScaleTableTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(-20)]
    [InlineData(17)]
    [InlineData(ScaleTable.MinExponent)]
    [InlineData(ScaleTable.MaxExponent)]
    public void ScalesAreHalvesTimesAPowerOfTwo(int exponent)
    {
        // Every finite half: the result is rounded to a float once.
        Half[] halves = [.. Enumerable.Range(0, 65536).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits)).Where(Half.IsFinite)];
        var table = Table(halves, exponent);
        float[] scales = new float[halves.Length];
        table.Read(0, scales);
        for (int i = 0; i < halves.Length; i++)
        {
            float expected = (float)((double)halves[i] * Math.ScaleB(1, exponent));
            Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(scales[i]));
        }
    }

    [Fact]
    public void AnyRangeReadsTheSameScales()
    {
        Half[] halves = [.. Enumerable.Range(1, 50).Select(i => (Half)i)];
        var table = Table(halves, 0);
        for (int first = 0; first < 50; first++)
        {
            for (int count = 0; count <= 50 - first; count++)
            {
                float[] scales = new float[count];
                table.Read(first, scales);
                Assert.Equal(Enumerable.Range(first + 1, count).Select(i => (float)i), scales);
            }
        }
    }

    [Theory]
    [InlineData(ScaleTable.MinExponent - 1)]
    [InlineData(ScaleTable.MaxExponent + 1)]
    public void ExponentsBeyondTheRangeOfFloatsAreRefused(int exponent) =>
        Assert.Contains("scaleExponent", Assert.Throws<InvalidDataException>(() => Table([(Half)1], exponent)).Message, StringComparison.Ordinal);

    private static ScaleTable Table(Half[] halves, int exponent)
    {
        byte[] bytes = [.. halves.SelectMany(BitConverter.GetBytes)];
        using var document = JsonDocument.Parse($$"""{"scaleExponent":{{exponent}}}""");
        var entry = new TensorEntry("w::scales", DType.F16, [halves.Length], 0, bytes.Length);
        var parts = new PackedParts("w", DType.F32, [1, 1], document.RootElement.Clone(),
            _ => (entry, new ByteView(MappedBytes.FromArray(bytes), 0, bytes.Length)), _ => 0);
        return new ScaleTable(parts, halves.Length);
    }
}
