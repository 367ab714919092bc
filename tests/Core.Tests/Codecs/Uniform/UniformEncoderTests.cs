using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Codecs.Uniform;

public class UniformEncoderTests
{
    private const int Rows = 128, Columns = 4096;

    private static readonly Lazy<float[]> Gaussian = new(() => RandomWeights.Gaussian(Rows * Columns));

    // Measured on normal weights by an independent implementation: docs/codecs/uniform.md.
    [Theory]
    [InlineData(2, true, 32, 0.433)]
    [InlineData(2, true, 64, 0.515)]
    [InlineData(2, true, 128, 0.588)]
    [InlineData(2, false, 64, 0.2090)]
    [InlineData(2, false, 128, 0.2533)]
    [InlineData(3, true, 32, 0.0513)]
    [InlineData(3, true, 64, 0.0632)]
    [InlineData(3, true, 128, 0.0750)]
    [InlineData(3, false, 64, 0.0381)]
    [InlineData(3, false, 128, 0.0464)]
    [InlineData(4, true, 32, 0.00941)]
    [InlineData(4, true, 64, 0.01160)]
    [InlineData(4, true, 128, 0.01378)]
    [InlineData(4, false, 64, 0.00830)]
    [InlineData(4, false, 128, 0.01011)]
    [InlineData(8, true, 32, 2.86e-5)]
    [InlineData(8, true, 64, 3.52e-5)]
    [InlineData(8, true, 128, 4.19e-5)]
    [InlineData(8, false, 64, 2.87e-5)]
    [InlineData(8, false, 128, 3.50e-5)]
    public void GroupsHaveThePublishedError(int bits, bool symmetric, int groupSize, double expected) =>
        Assert.InRange(Error(("bits", bits), ("symmetric", symmetric), ("groupSize", groupSize)) / expected, 0.99, 1.01);

    // One range a row varies more from draw to draw than many.
    [Theory]
    [InlineData(2, true, 0.825)]
    [InlineData(2, false, 0.466)]
    [InlineData(3, true, 0.134)]
    [InlineData(3, false, 0.0896)]
    [InlineData(4, true, 0.02472)]
    [InlineData(4, false, 0.01954)]
    [InlineData(8, true, 7.50e-5)]
    [InlineData(8, false, 6.75e-5)]
    public void ChannelsHaveThePublishedError(int bits, bool symmetric, double expected) =>
        Assert.InRange(Error(("bits", bits), ("symmetric", symmetric), ("granularity", "channel")) / expected, 0.97, 1.03);

    // The optimum for normal weights of known variance (exact integrals). From 6 bits on a row's own range does better: it has no
    // weight as far out as the best quantizer reaches. Symmetric levels are one fewer; the error goes with the square of the step.
    [Theory]
    [InlineData(4, false, 0.011543)]
    [InlineData(4, true, 0.011543)]
    [InlineData(5, false, 0.003495)]
    [InlineData(5, true, 0.003495)]
    public void ClippingComesCloseToTheBestUniformQuantizer(int bits, bool symmetric, double optimum)
    {
        var encoder = Encoders.Of("uniform", ("bits", bits), ("symmetric", symmetric), ("granularity", "channel"), ("clip", "mse"));
        double fewer = symmetric ? Math.Pow((1 << bits) / ((1 << bits) - 1.0), 2) : 1;
        Assert.InRange(encoder.RelativeError(Gaussian.Value[..(32 * Columns)], 32, Columns) / (optimum * fewer), 0.95, 1.04);
    }

    [Theory]
    [InlineData(2, "tensor")]
    [InlineData(2, "channel")]
    [InlineData(2, "group")]
    [InlineData(4, "tensor")]
    [InlineData(4, "channel")]
    [InlineData(4, "group")]
    public void ClippingNeverHarms(int bits, string granularity)
    {
        float[] weights = RandomWeights.Laplace(16 * 1000);
        foreach (bool symmetric in new[] { false, true })
        {
            double Of(string clip) => Encoders.Of("uniform", ("bits", bits), ("symmetric", symmetric), ("granularity", granularity), ("clip", clip))
                .RelativeError(weights, 16, 1000);
            Assert.True(Of("mse") < Of("none"), $"symmetric {symmetric}: {Of("mse")} ≥ {Of("none")}");
        }
    }

    [Theory]
    [InlineData(0.3f)]
    [InlineData(-0.3f)]
    [InlineData(1e-20f)]
    public void ConstantGroupsAreExactWithinHalfPrecision(float value)
    {
        float[] constant = new float[3 * 100];
        Array.Fill(constant, value);
        foreach (bool symmetric in new[] { false, true })
        {
            float[] decoded = Encoders.Of("uniform", ("bits", 3), ("symmetric", symmetric)).Decoded(constant, 3, 100);
            Assert.All(decoded, w => Assert.Equal(1, w / value, 1.0 / 1024));
        }
    }

    [Fact]
    public void ZeroIsExactWhateverTheRange()
    {
        float[] weights = [0, 1, 2, 3, 0, -0.001f, 0.7f, 0];
        float[] decoded = Encoders.Of("uniform", ("bits", 2)).Decoded(weights, 1, 8);
        Assert.All(new[] { 0, 4, 7 }, i => Assert.Equal(0, decoded[i]));
    }

    // The codes are chosen with the scale as stored: every weight inside the range is at most half a step away.
    [Fact]
    public void EveryWeightGoesToTheNearestLevel()
    {
        float[] weights = RandomWeights.Gaussian(64);
        float[] decoded = Encoders.Of("uniform", ("bits", 4)).Decoded(weights, 1, 64);
        float[] levels = [.. decoded.Distinct()];
        for (int i = 0; i < weights.Length; i++)
        {
            float nearest = levels.MinBy(level => Math.Abs(level - weights[i]));
            Assert.Equal(nearest, decoded[i]);
        }
    }

    // Worked by hand: the range −1 … 2 in three steps of 1, whose code of zero is 1; ties go to the even code.
    [Fact]
    public void AsymmetricRowIsTheDocumentedFormula()
    {
        var encoded = Encoders.Of("uniform", ("bits", 2), ("granularity", "channel"))
            .Encode(WeightMatrix.FromArray([-1, 2, 0.4f, 0.6f, -0.5f, 1.4f, 1.5f, 0], 1, 8), null, CancellationToken.None);
        Assert.Equal("""{"bits":2,"symmetric":false,"granularity":"channel","scaleExponent":-14}""", encoded.Parameters.ToJsonString());
        Assert.Equal(["codes", "scales", "zeros"], encoded.Parts.Select(part => part.Name));
        Assert.Equal([0b10_01_11_00, 0b01_10_10_00], encoded.Parts[0].Bytes); // 0 3 1 2, 0 2 2 1
        Assert.Equal([0x00, 0x74], encoded.Parts[1].Bytes);
        Assert.Equal([1], encoded.Parts[2].Bytes);
    }

    // −7 … 7 stand as codes 0 … 14.
    [Fact]
    public void SymmetricRowIsTheDocumentedFormula()
    {
        var encoded = Encoders.Of("uniform", ("bits", 4), ("symmetric", true), ("granularity", "channel"))
            .Encode(WeightMatrix.FromArray([7, -3, 0, 1.2f], 1, 4), null, CancellationToken.None);
        Assert.Equal(["codes", "scales"], encoded.Parts.Select(part => part.Name));
        Assert.Equal([0x4E, 0x87], encoded.Parts[0].Bytes);
        Assert.Equal([0x00, 0x74], encoded.Parts[1].Bytes);
    }

    // Row: strips and tail of codes; a half and a code of zero point for each scale.
    [Theory]
    [InlineData("group", 64, false, 4, 5, 4096, (5 * 2048) + (5 * 64 * 2) + 160)]
    [InlineData("group", 64, true, 4, 5, 4096, (5 * 2048) + (5 * 64 * 2))]
    [InlineData("group", 64, false, 3, 3, 172, (3 * 65) + (3 * 3 * 2) + 4)]
    [InlineData("channel", 0, false, 8, 7, 54, (7 * 54) + (7 * 2) + 7)]
    [InlineData("tensor", 0, false, 5, 7, 33, (7 * 21) + 2 + 1)]
    [InlineData("tensor", 0, true, 2, 7, 1, 7 + 2)]
    public void EveryStoredByteIsCounted(string granularity, int groupSize, bool symmetric, int bits, int rows, int columns, int bytes)
    {
        List<(string, object)> settings = [("bits", bits), ("symmetric", symmetric), ("granularity", granularity)];
        if (groupSize > 0)
        {
            settings.Add(("groupSize", groupSize));
        }

        var tensor = Encoders.Of("uniform", [.. settings]).Packed(RandomWeights.Gaussian(rows * columns), rows, columns);
        Assert.Equal(8.0 * bytes / (rows * columns), tensor.BitsPerWeight, 1e-12);
    }

    [Theory]
    [InlineData("channel")]
    [InlineData("tensor")]
    public void GroupSizeWithoutGroupsIsRefused(string granularity)
    {
        var exception = Assert.Throws<SettingException>(() => Encoders.Of("uniform", ("granularity", granularity), ("groupSize", 64)));
        Assert.Equal("groupSize", exception.Setting);
        Assert.Contains(granularity, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GroupSizeThatIsNoPowerOfTwoIsRefused() =>
        Assert.Equal("groupSize", Assert.Throws<SettingException>(() => Encoders.Of("uniform", ("groupSize", 96))).Setting);

    [Fact]
    public void SeedIsNoPartOfTheSettings() => Assert.Equal(Encoders.Of("uniform", 1).Settings, Encoders.Of("uniform", 2).Settings);

    private static double Error(params (string, object)[] settings) => Encoders.Of("uniform", settings).RelativeError(Gaussian.Value, Rows, Columns);
}
