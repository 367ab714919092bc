using System.Text.Json.Nodes;
using Compress.Core.Codecs;

namespace Compress.Core.Tests.Codecs;

public class ScaleWriterTests
{
    [Theory]
    [InlineData(1f, -14)]
    [InlineData(1.999f, -14)]
    [InlineData(2f, -13)]
    [InlineData(1e-3f, -24)]
    [InlineData(1e30f, 85)]
    [InlineData(1e-30f, -114)]
    [InlineData(float.MaxValue, 113)]
    [InlineData(float.Epsilon, -149)]
    [InlineData(0f, 0)]
    public void ExponentBringsTheLargestBelow32768(float largest, int exponent)
    {
        var writer = new ScaleWriter([largest / 3, largest, 0]);
        Assert.Equal(exponent, writer.Exponent);
        Assert.InRange(writer.Rounded[1], 0, 32767);
    }

    [Fact]
    public void ScalesKeepElevenBitsOverThirtyOctaves()
    {
        float[] scales = [.. Enumerable.Range(0, 29).Select(octave => MathF.ScaleB(1.2345678f, -octave))];
        var writer = new ScaleWriter(scales);
        for (int i = 0; i < scales.Length; i++)
        {
            double read = (double)writer.Rounded[i] * Math.ScaleB(1, writer.Exponent);
            Assert.Equal(1, read / scales[i], 1.0 / 2048);
        }
    }

    [Fact]
    public void NumbersBelowZeroKeepTheirSign() => Assert.Equal([-16384f, 8192f], new ScaleWriter([-2f, 1f]).Rounded);

    [Fact]
    public void StoredLittleEndianWithItsExponent()
    {
        var parameters = new JsonObject();
        var part = new ScaleWriter([1, 0.5f]).Write(parameters, 2, 1);
        Assert.Equal([0x00, 0x74, 0x00, 0x70], part.Bytes); // 2^14 and 2^13
        Assert.Equal("""{"scaleExponent":-14}""", parameters.ToJsonString());
        Assert.Equal([2, 1], part.Shape);
    }
}
