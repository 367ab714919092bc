using Compress.Core.Codecs;
using Compress.Core.Codecs.Cvxq;
using Compress.Core.Models;
using Compress.Core.Numerics;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Codecs.Cvxq;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.Cvxq;

public class CvxqTests
{
    private static readonly Lazy<float[]> NormalValues = new(() => Evenly(NormalQuantile));

    // algorithms.md, 2.3: the compander with the best multiple of its scale, measured with another program.
    [Theory]
    [InlineData(1, false, 0.3633)]
    [InlineData(2, false, 0.1437)]
    [InlineData(3, false, 0.0536)]
    [InlineData(4, false, 0.01346)]
    [InlineData(5, false, 0.00326)]
    [InlineData(6, false, 0.000810)]
    [InlineData(1, true, 0.5004)]
    [InlineData(2, true, 0.1951)]
    [InlineData(3, true, 0.0634)]
    [InlineData(4, true, 0.01713)]
    public void CompanderHasTheKnownError(int depth, bool laplace, double expected)
    {
        Assert.InRange(Error(laplace ? Evenly(u => u < 0.5 ? Math.Log(2 * u) : -Math.Log(2 - (2 * u))) : NormalValues.Value, depth, Companding.Laplace, search: true) / expected, 0.99, 1.01);
    }

    // Max (1960), "Quantizing for minimum distortion", table I: the least errors for a normal density.
    [Theory]
    [InlineData(1, 0.3634)]
    [InlineData(2, 0.1175)]
    [InlineData(3, 0.03454)]
    [InlineData(4, 0.009497)]
    [InlineData(5, 0.002499)]
    public void LevelsForNormalWeightsHaveTheLeastError(int depth, double expected) =>
        Assert.InRange(Error(NormalValues.Value, depth, Companding.Normal, search: false) / expected, 0.99, 1.01);

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void LevelsOfEightBitsAddLittleError(int depth)
    {
        double[] exact = LloydMax.Levels(1 << depth);
        double least = NormalValues.Value.Average(value => exact.Min(level => Math.Pow(value - level, 2)));
        Assert.InRange(Error(NormalValues.Value, depth, Companding.Normal, search: false) / least, 0.999, 1.005);
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
        byte[] headers = encoder.Encode(WeightMatrix.FromArray(RandomWeights.Gaussian(128 * 8), 8, 128), statistics, CancellationToken.None).Parts[1].Bytes;

        // 256 = 4^4: four bits more.
        Assert.Equal(4, headers.Where((_, i) => i % 2 == 0).Average(h => h & 15) - headers.Where((_, i) => i % 2 == 1).Average(h => h & 15), 0.3);
    }

    // 16 = 4^2 and 256 = 4^4 times the product of gradient and variance: two and four bits more.
    [Theory]
    [InlineData("laplace")]
    [InlineData("normal")]
    public void ClustersAreOfRowsThatMatterAlikeAndGroupsAreTheirColumns(string quantizer)
    {
        float[] weights = [.. RandomWeights.Gaussian(150 * 128).Select((w, i) => i / 128 % 2 == 0 ? 4 * w : w)];
        var statistics = new LayerStatistics { Tokens = 1, SquaredGradients = [.. Enumerable.Range(0, 150 * 128).Select(i => i % 128 < 64 ? 256.0 : 1)] };
        var encoder = Encoders.Of("cvxq", ("groupSize", 64), ("quantizer", quantizer), ("sensitivity", "gradients"), ("grouping", "clusters"), ("bits", 3.5));
        var parts = encoder.Encode(WeightMatrix.FromArray(weights, 150, 128), statistics, CancellationToken.None).Parts;

        // 75 rows of each kind: the first 64 of those that matter more, then the rest of them among others, and others alone.
        byte[] clusters = parts[4].Bytes;
        Assert.Equal([64, 64, 22], [clusters.Count(c => c == 0), clusters.Count(c => c == 1), clusters.Count(c => c == 2)]);
        Assert.All(Enumerable.Range(0, 150).Where(row => clusters[row] == 0), row => Assert.Equal(0, row % 2));
        Assert.All(Enumerable.Range(0, 150).Where(row => clusters[row] == 2), row => Assert.Equal(1, row % 2));
        double Depth(int half, int cluster) => Enumerable.Range(64 * half, 64).Average(line => parts[1].Bytes[(3 * line) + cluster] & 15);
        Assert.Equal(4, Depth(0, 0) - Depth(1, 0), 0.3);
        Assert.Equal(2, Depth(0, 0) - Depth(0, 2), 0.4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(255)]
    public void ClusterThatIsTooFullOrNotThereIsRefused(byte cluster)
    {
        var encoded = Encoders.Of("cvxq", ("groupSize", 64), ("grouping", "clusters")).Encoded(RandomWeights.Gaussian(130 * 3), 130, 3);
        int row = Array.FindIndex(encoded.Parts[4].Bytes, c => c != cluster);
        encoded.Parts[4].Bytes[row] = cluster;
        Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(encoded, DType.F32, [130, 3]));
    }

    // What the text never expects has no gradient, and would have the logit 0.
    [Theory]
    [InlineData("gradients", true)]
    [InlineData("gradients", false)]
    [InlineData("factored", true)]
    [InlineData("factored", false)]
    public void RowsOfTheHeadCountAlike(string sensitivity, bool isHead)
    {
        double[] moments = new double[64 * 64];
        for (int i = 0; i < 64; i++)
        {
            moments[65 * i] = 1;
        }

        var statistics = new LayerStatistics
        {
            Tokens = 1, IsOwnHead = isHead, InputSecondMoments = moments, InputMeans = new double[64], OutputGradients = [1, 0, 1, 0, 1, 0, 1, 0],
            SquaredGradients = [.. Enumerable.Range(0, 8 * 64).Select(i => i / 64 % 2 == 0 ? 1.0 : 0)],
        };
        float[] row = RandomWeights.Gaussian(64);
        var encoder = Encoders.Of("cvxq", ("groupSize", 64), ("sensitivity", sensitivity));
        byte[] headers = encoder.Encode(WeightMatrix.FromArray([.. Enumerable.Repeat(row, 8).SelectMany(w => w)], 8, 64), statistics, CancellationToken.None).Parts[1].Bytes;
        Assert.Equal(isHead ? [4, 4, 4, 4, 4, 4, 4, 4] : [8, 0, 8, 0, 8, 0, 8, 0], headers.Select(header => header & 15));
    }

    [Fact]
    public void InputsOfTransposedLayersBelongToRows()
    {
        double[] moments = new double[64];
        for (int i = 0; i < 8; i++)
        {
            moments[9 * i] = i < 4 ? 256 : 1;
        }

        var statistics = new LayerStatistics { Tokens = 1, Transposed = true, InputSecondMoments = moments };
        var encoder = Encoders.Of("cvxq", ("groupSize", 64), ("sensitivity", "inputs"));
        byte[] headers = encoder.Encode(WeightMatrix.FromArray(RandomWeights.Gaussian(64 * 8), 8, 64), statistics, CancellationToken.None).Parts[1].Bytes;
        Assert.Equal(4, headers[..4].Average(h => h & 15) - headers[4..].Average(h => h & 15), 0.3);
    }

    // Eight bits are the most that it takes from other groups.
    [Theory]
    [InlineData("normal")]
    [InlineData("laplace")]
    public void OutlierTakesEightBitsAndNoMore(string quantizer)
    {
        float[] weights = RandomWeights.Gaussian(2 * 512);
        weights[5] = 1e9f;
        float[] decoded = Encoders.Of("cvxq", ("groupSize", 64), ("quantizer", quantizer)).Decoded(weights, 2, 512);
        Assert.InRange(Encoders.RelativeError(weights[512..], decoded[512..]), 0, 0.05);
    }

    [Fact]
    public void GroupOfDepthZeroIsItsMean()
    {
        float[] weights = RandomWeights.Gaussian(128);
        Array.Fill(weights, -0.75f, 64, 64);
        float[] decoded = Encoders.Of("cvxq", ("groupSize", 64), ("quantizer", "laplace")).Decoded(weights, 1, 128);
        Assert.All(decoded[64..], value => Assert.Equal(-0.75f, value, 1e-3f));
    }

    // Codes of Lloyd-Max levels have an entropy of 3.765 bits with 16 levels and 2.825 with 8 (as higgs's, docs/entropy.md).
    [Theory]
    [InlineData("rows", 4, 3.765)]
    [InlineData("rows", 3, 2.825)]
    [InlineData("clusters", 4, 3.765)]
    public void CodesOfADepthTakeTheirEntropy(string grouping, int depth, double entropy)
    {
        const int Rows = 512, Columns = 512;
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        var statistics = new LayerStatistics { Tokens = 1, SquaredGradients = [.. Enumerable.Repeat(1.0, weights.Length)] };
        var encoder = Encoders.Of("cvxq", ("bits", (double)depth), ("grouping", grouping), ("entropy", true), ("biasCorrection", false));
        var plain = Encoders.Of("cvxq", ("bits", (double)depth), ("grouping", grouping));
        var coded = encoder.Encoded(weights, Rows, Columns);
        byte[] headers = coded.Parts.Single(part => part.Name == "headers").Bytes;
        double expected = headers.Sum(header => 128.0 * (header & 15)) * entropy / depth;
        Assert.Equal(expected, coded.Parts.Where(part => part.Name.StartsWith("codes", StringComparison.Ordinal)).Sum(part => 8.0 * part.Bytes.Length), 0.01 * expected);
        Assert.Equal(plain.Decoded(weights, Rows, Columns), encoder.Decoded(weights, Rows, Columns));
        Assert.True(DecodedTensor.Open(coded, DType.F32, [Rows, Columns]).MemoryBytes > coded.Parts.Where(part => !part.Shared).Sum(part => part.Bytes.LongLength));
    }

    // Groups that end rows are shorter, and stay as they are.
    [Theory]
    [InlineData("normal")]
    [InlineData("laplace")]
    public void CodedWeightsAreThoseOfPlainCodes(string quantizer)
    {
        float[] weights = [.. RandomWeights.Gaussian(90 * 428).Select((w, i) => MathF.ScaleB(w, i / 428 % 9))];
        Assert.Equal(
            Encoders.Of("cvxq", ("groupSize", 64), ("quantizer", quantizer), ("bits", 3.5)).Decoded(weights, 90, 428),
            Encoders.Of("cvxq", ("groupSize", 64), ("quantizer", quantizer), ("bits", 3.5), ("entropy", true)).Decoded(weights, 90, 428));
    }

    [Theory]
    [InlineData("normal", "rows")]
    [InlineData("laplace", "rows")]
    [InlineData("normal", "clusters")]
    [InlineData("laplace", "clusters")]
    public void EveryKernelUnpacksTheSameBitsAndMultipliesThem(string quantizer, string grouping)
    {
        const int Columns = 428, Batch = 5;
        int rows = grouping == "rows" ? 37 : 601;
        float[] weights = [.. RandomWeights.Gaussian(rows * Columns).Select((w, i) => MathF.ScaleB(w, i / Columns % 9))], expected = [];
        Array.Fill(weights, 0.5f, 0, 64); // a constant group
        var encoded = Encoders.Of("cvxq", ("groupSize", 64), ("grouping", grouping), ("quantizer", quantizer), ("bits", 3.5)).Encoded(weights, rows, Columns);
        Assert.True(encoded.Parts[1].Bytes.DistinctBy(header => header & 15).Count() >= 8, "the depths are not mixed");
        float[] x = RandomWeights.Gaussian(Batch * Columns, 3);
        foreach (var kernel in Kernel.All.Reverse())
        {
            var parts = DecodedTensor.Parts(encoded, DType.F32, [rows, Columns]);
            PackedTensor tensor = grouping == "rows" ? new CvxqTensor(parts, kernel) : new ClusteredTensor(parts, kernel);
            float[] decoded = new float[weights.Length], y = new float[Batch * rows], last = new float[Columns];
            tensor.Dequantize(decoded);
            expected = kernel.Name == "Scalar" ? decoded : expected;
            Assert.Equal(expected, decoded);
            tensor.DequantizeRows(rows - 1, 1, last); // in clusters, weight by weight
            Assert.Equal(expected[^Columns..], last);
            for (int batch = 1; batch <= Batch; batch++)
            {
                tensor.Multiply(x.AsSpan(0, batch * Columns), y.AsSpan(0, batch * rows), batch);
                for (int i = 0; i < batch * rows; i++)
                {
                    var row = decoded.AsSpan(i % rows * Columns, Columns);
                    var vector = x.AsSpan(i / rows * Columns, Columns);
                    double sum = 0, squares = 0, energy = 0;
                    for (int k = 0; k < Columns; k++)
                    {
                        (sum, squares, energy) = (sum + ((double)row[k] * vector[k]), squares + ((double)row[k] * row[k]), energy + ((double)vector[k] * vector[k]));
                    }

                    Assert.Equal(sum, y[i], 2e-6 * Math.Sqrt(squares * energy));
                }
            }
        }
    }

    [Fact]
    public void DepthOfNineIsRefused() => Assert.Throws<InvalidDataException>(() => Damaged(parts => parts[1].Bytes[0] = 9));

    [Fact]
    public void MissingCodesAreRefused() =>
        Assert.Throws<InvalidDataException>(() => Damaged(parts => parts[0] = parts[0] with { Bytes = parts[0].Bytes[1..], Shape = [parts[0].Bytes.Length - 1] }));

    [Fact]
    public void LevelsThatAreNotFiniteAreRefused() => Assert.Throws<InvalidDataException>(() => Damaged(parts =>
    {
        byte[] bytes = [.. parts[3].Bytes];
        bytes[1] = 0x7C;
        parts[3] = parts[3] with { Bytes = bytes };
    }));

    private static void Damaged(Action<EncodedPart[]> damage)
    {
        var encoded = Encoders.Of("cvxq").Encoded(RandomWeights.Gaussian(512), 2, 256);
        EncodedPart[] parts = [.. encoded.Parts];
        damage(parts);
        DecodedTensor.Open(encoded with { Parts = parts }, DType.F32, [2, 256]);
    }

    // Quantiles in equal steps have the moments of their density without the chance of random draws.
    private static float[] Evenly(Func<double, double> quantile) => [.. Enumerable.Range(0, 1 << 15).Select(i => (float)quantile((i + 0.5) / (1 << 15)))];

    private static double NormalQuantile(double u)
    {
        double low = 0, high = 8, tail = Math.Min(u, 1 - u);
        for (int halving = 0; halving < 40; halving++)
        {
            double middle = (low + high) / 2;
            (low, high) = Compress.Core.Numerics.Normal.Tail(middle) > tail ? (middle, high) : (low, middle);
        }

        return u < 0.5 ? -low : low;
    }

    private static double Error(float[] values, int depth, Companding companding, bool search)
    {
        var quantizer = new GroupQuantizer(companding, search);
        var form = quantizer.Fit(values, depth);
        double error = values.Sum(v => Math.Pow(v - (form.Scale * (companding.Levels(depth)[quantizer.Code(v, form)] + (form.Shift / 8.0))), 2));
        return error / GroupQuantizer.Moments(values).Variance / values.Length;
    }
}
