using Compress.Core.Codecs;
using Compress.Core.Codecs.Cvxq;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.Cvxq;

public class CvxqTests
{
    // algorithms.md, 2.3: the compander with the best multiple of its scale.
    [Theory]
    [InlineData(1, false, 0.3633)]
    [InlineData(2, false, 0.1437)]
    [InlineData(3, false, 0.0536)]
    [InlineData(4, false, 0.01346)]
    [InlineData(1, true, 0.5004)]
    [InlineData(2, true, 0.1951)]
    [InlineData(3, true, 0.0634)]
    [InlineData(4, true, 0.01713)]
    public void CompanderHasThePublishedError(int depth, bool laplace, double expected)
    {
        float[] values = laplace ? RandomWeights.Laplace(1 << 17) : RandomWeights.Gaussian(1 << 17);
        var quantizer = new GroupQuantizer(Companding.Laplace, search: true);
        var form = quantizer.Fit(values, depth);
        double error = values.Sum(v => Math.Pow(v - (form.Scale * (Companding.Laplace.Levels(depth)[quantizer.Code(v, form)] + (form.Shift / 8.0))), 2));
        Assert.InRange(error / values.Sum(v => (double)v * v) / expected, 0.99, 1.01);
    }

    [Theory]
    [InlineData(2.5)]
    [InlineData(3.5)]
    public void CodesTakeTheBitsAskedFor(double bits)
    {
        var encoded = Encoders.Of("cvxq", ("bits", bits), ("groupSize", 64)).Encoded(RandomWeights.LognormalMixture(64 * 1024), 64, 1024);
        Assert.Equal(bits * 64 * 1024 / 8, encoded.Parts[0].Bytes.Length);
    }

    [Fact]
    public void GroupsOfSensitiveInputsGetMoreBits()
    {
        var statistics = new LayerStatistics { Tokens = 1, SquaredGradients = [.. Enumerable.Range(0, 128 * 8).Select(i => i % 128 < 64 ? 256.0 : 1)] };
        var encoder = Encoders.Of("cvxq", ("groupSize", 64), ("quantizer", "laplace"), ("sensitivity", "gradients"));
        var weights = Core.Models.WeightMatrix.FromArray(RandomWeights.Gaussian(128 * 8), 8, 128);
        byte[] headers = encoder.Encode(weights, statistics, CancellationToken.None).Parts[1].Bytes;
        Assert.True(headers.Where((_, i) => i % 2 == 0).Min(h => h & 15) > headers.Where((_, i) => i % 2 == 1).Max(h => h & 15));
    }

    [Fact]
    public void DepthOfNineIsRefused() => Assert.Throws<InvalidDataException>(() => Damaged(parts => parts[1].Bytes[0] = 9));

    [Fact]
    public void MissingCodesAreRefused() =>
        Assert.Throws<InvalidDataException>(() => Damaged(parts => parts[0] = parts[0] with { Bytes = parts[0].Bytes[1..], Shape = [parts[0].Bytes.Length - 1] }));

    private static void Damaged(Action<EncodedPart[]> damage)
    {
        var encoded = Encoders.Of("cvxq").Encoded(RandomWeights.Gaussian(512), 2, 256);
        EncodedPart[] parts = [.. encoded.Parts];
        damage(parts);
        DecodedTensor.Open(encoded with { Parts = parts }, DType.F32, [2, 256]);
    }
}
