using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Codecs.Higgs;

public class HiggsEncoderTests
{
    // Rows of codes: m / 32 strips of 4 b bytes, and the rest as bits in whole bytes; a half for each group; the grid, two bytes a number.
    [Theory]
    [InlineData(1, 16, 1024, 8, 4096, (8 * 2048) + (8 * 4 * 2) + 32)]
    [InlineData(1, 16, 1024, 3, 172, (3 * 86) + (3 * 2) + 32)]
    [InlineData(1, 16, 64, 5, 54, (5 * 27) + (5 * 2) + 32)]
    [InlineData(1, 16, 16, 5, 54, (5 * 27) + (5 * 4 * 2) + 32)]
    [InlineData(1, 3, 1024, 2, 4097, (2 * ((36 * 22) + 21)) + (2 * 5 * 2) + 6)] // 36 words of 111 digits, and 101
    [InlineData(2, 88, 1024, 2, 4096, (2 * ((55 * 16) + 6 + (64 * 12))) + (2 * 4 * 2) + 352)] // 55 words of 37 digits, and 13; 3 plain bits
    [InlineData(1, 200, 1024, 1, 33, 33 + 2 + 400)]
    [InlineData(2, 256, 1024, 8, 4096, (8 * 2048) + (8 * 4 * 2) + 1024)]
    [InlineData(2, 64, 1024, 1, 4097, (64 * 24) + 1 + (5 * 2) + 256)]
    [InlineData(2, 16, 1024, 7, 1, (7 * 1) + (7 * 2) + 64)]
    [InlineData(2, 1024, 1024, 2, 4096, (2 * 64 * 40) + (2 * 4 * 2) + 4096)]
    [InlineData(3, 4096, 1024, 3, 1024, (3 * ((10 * 48) + 33)) + (3 * 2) + 24576)]
    [InlineData(3, 64, 16, 2, 19, (2 * 6) + (2 * 2 * 2) + 384)]
    [InlineData(3, 64, 16, 2, 18, (2 * 5) + (2 * 2) + 384)]
    [InlineData(4, 256, 64, 2, 54, (2 * 14) + (2 * 2) + 2048)]
    [InlineData(4, 4096, 16, 2, 172, (2 * (48 + 17)) + (2 * 11 * 2) + 32768)]
    [InlineData(8, 256, 16, 5, 33, (5 * 5) + (5 * 3 * 2) + 4096)]
    public void EveryStoredByteIsCounted(int p, int n, int groupSize, int rows, int columns, int bytes)
    {
        var tensor = Encoders.Of("higgs", ("p", p), ("n", n), ("groupSize", groupSize)).Packed(RandomWeights.Gaussian(rows * columns), rows, columns);
        Assert.Equal(8.0 * bytes / (rows * columns), tensor.BitsPerWeight, 1e-12);
    }

    [Fact]
    public void ConstantRowsSurviveBecauseOfTheRandomSigns()
    {
        // Without signs a constant block would become a single spike, whose error is near 1.
        float[] constant = new float[16 * 1024];
        Array.Fill(constant, 0.02f);
        Assert.InRange(Encoders.Of("higgs", ("groupSize", 256)).RelativeError(constant, 16, 1024), 0, 0.012);
    }

    [Fact]
    public void OneHugeWeightIsSpreadOverItsBlock()
    {
        // A spike becomes a block of equal magnitudes, which one level stands for exactly.
        float[] spike = new float[1024];
        spike[77] = 1000;
        Assert.InRange(Encoders.Of("higgs").RelativeError(spike, 1, 1024), 0, 1e-6);
    }

    [Fact]
    public void AnotherSeedGivesOtherCodes()
    {
        float[] weights = RandomWeights.Gaussian(4096);
        Assert.NotEqual(Encoders.Of("higgs", 1).Decoded(weights, 4, 1024), Encoders.Of("higgs", 2).Decoded(weights, 4, 1024));
    }

    [Fact]
    public void RowsAreEncodedOneByOne()
    {
        float[] weights = RandomWeights.Gaussian(5 * 172);
        float[] all = Encoders.Of("higgs").Decoded(weights, 5, 172);
        float[] last = Encoders.Of("higgs").Decoded(weights[(4 * 172)..], 1, 172);
        Assert.InRange(Encoders.RelativeError(last, all[(4 * 172)..]), 0, 1e-12);
    }

    [Fact]
    public void MorePointsHaveLessError()
    {
        float[] weights = RandomWeights.Laplace(8 * 1024);
        double previous = 1;
        foreach (int n in new[] { 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256 })
        {
            double error = Encoders.Of("higgs", ("n", n)).RelativeError(weights, 8, 1024);
            Assert.True(error < previous, $"n = {n}: {error} ≥ {previous}");
            previous = error;
        }
    }

    // Groups of p = 3 have 18 weights where those of the rotation have 16; each is scaled by its own scale.
    [Fact]
    public void GroupsOfThreeWeightsACodeHaveTheirOwnScales()
    {
        float[] weights = RandomWeights.Gaussian(64 * 172);
        double even = Encoders.Of("higgs", ("p", 3), ("groupSize", 16)).RelativeError(weights, 64, 172);
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] *= i / 16 % 2 == 0 ? 1 : 1000; // 172 = 4 mod 16: rows differ, blocks of the rotation hold one kind or two
        }

        double mixed = Encoders.Of("higgs", ("p", 3), ("groupSize", 16)).RelativeError(weights, 64, 172);
        Assert.InRange(mixed / even, 0.5, 1.1);
    }

    [Theory]
    [InlineData(2, 1024)]
    [InlineData(3, 64)]
    [InlineData(3, 4096)]
    [InlineData(4, 4096)]
    [InlineData(8, 256)]
    public void ZeroRowsDecodeToZero(int p, int n)
    {
        float[] weights = RandomWeights.Gaussian(3 * 100);
        weights.AsSpan(100, 100).Clear();
        Assert.All(Encoders.Of("higgs", ("p", p), ("n", n), ("groupSize", 32)).Decoded(weights, 3, 100)[100..200], value => Assert.Equal(0, value));
    }

    // The scale is the best there is for the codes: any other leaves more error.
    [Theory]
    [InlineData(0.999f)]
    [InlineData(1.001f)]
    public void ScaleFitsBest(float factor)
    {
        float[] weights = RandomWeights.Gaussian(1024);
        float[] decoded = Encoders.Of("higgs", ("bits", 2)).Decoded(weights, 1, 1024);
        float[] other = Array.ConvertAll(decoded, value => value * factor);
        Assert.True(Encoders.RelativeError(weights, other) > Encoders.RelativeError(weights, decoded));
    }

    [Theory]
    [InlineData("bits", "6 with p = 2", "bits:6 p:2")]
    [InlineData("bits", "4 with p = 4: there are grids for 1, 2, 3 bits, and by n of 16, 256, 4096 points", "bits:4 p:4")]
    [InlineData("p", "no grids of dimension 5", "p:5")]
    [InlineData("n", "512 with p = 1", "n:512")]
    [InlineData("n", "256 with p = 3: there are grids of 64, 512, 830, 4096 points", "n:256 p:3")]
    [InlineData("bits", "8 with p = 2", "bits:8 p:2")]
    [InlineData("n", "100 with p = 2", "n:100 p:2")]
    [InlineData("n", "1 with p = 1", "n:1")]
    [InlineData("n", "20 points with p = 1 take 4.322 bits per weight, but bits is 4", "n:20 bits:4")]
    [InlineData("n", "12 points with p = 1 take 3.585 bits per weight, but bits is 4", "n:12 bits:4")]
    [InlineData("n", "2 bits per weight, but bits is 4", "n:16 p:2 bits:4")]
    [InlineData("groupSize", "not a power of two", "groupSize:100")]
    public void SettingsThatDoNotGoTogetherAreRefused(string setting, string message, string settings)
    {
        var exception = Assert.Throws<SettingException>(() => Encoders.Of("higgs", Parsed(settings)));
        Assert.Equal(setting, exception.Setting);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "p=1 n=16 groupSize=1024 seed=0")]
    [InlineData("bits:8", "p=1 n=256 groupSize=1024 seed=0")]
    [InlineData("n:12", "p=1 n=12 groupSize=1024 seed=0")]
    [InlineData("p:2", "p=2 n=256 groupSize=1024 seed=0")]
    [InlineData("p:2 bits:3", "p=2 n=64 groupSize=1024 seed=0")]
    [InlineData("p:2 bits:5", "p=2 n=1024 groupSize=1024 seed=0")]
    [InlineData("p:3", "p=3 n=4096 groupSize=1024 seed=0")]
    [InlineData("p:3 n:830", "p=3 n=830 groupSize=1024 seed=0")]
    [InlineData("p:4 bits:3", "p=4 n=4096 groupSize=1024 seed=0")]
    [InlineData("p:8 bits:1", "p=8 n=256 groupSize=1024 seed=0")]
    [InlineData("p:2 n:16", "p=2 n=16 groupSize=1024 seed=0")]
    public void GridFollowsFromTheSettings(string settings, string expected) =>
        Assert.Equal(expected, Encoders.Of("higgs", Parsed(settings)).Settings);

    [Fact]
    public void ParametersAreWhatTheDecoderNeeds()
    {
        var encoded = Encoders.Of("higgs", 9, ("bits", 2)).Encode(WeightMatrix.FromArray([1, 2, 3], 1, 3), null, CancellationToken.None);
        Assert.Equal("""{"p":1,"n":4,"groupSize":1024,"seed":9,"scaleExponent":-14}""", encoded.Parameters.ToJsonString());
        Assert.Equal(["codes", "scales", "grid.p1n4"], encoded.Parts.Select(part => part.Name));
    }

    private static (string, object)[] Parsed(string settings) =>
        [.. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split(':')).Select(s => (s[0], (object)int.Parse(s[1])))];
}
