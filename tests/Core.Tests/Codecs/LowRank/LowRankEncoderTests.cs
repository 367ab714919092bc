using Compress.Core.Codecs;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.LowRank;

/// <summary>Matrices as products of factors that are kept or packed, and methods that such a product corrects.</summary>
public class LowRankMatrix
{
    public static TheoryData<string, bool> Methods => new()
    {
        { "keep", false }, { "higgs", false }, { "uniform", false }, { "cvxq", false }, { "higgs", true }, { "uniform", true },
    };

    [Theory, MemberData(nameof(Methods))]
    public void MultipliesAsItsDequantizedValues(string method, bool ofResidual)
    {
        foreach (var (rows, columns, rank) in new[] { (1, 1, 1), (1, 40, 1), (40, 1, 1), (33, 47, 5), (47, 33, 33), (64, 172, 40) })
        {
            var packed = Encoder(method, rank, ofResidual: ofResidual).Packed(RandomWeights.Gaussian(rows * columns), rows, columns);
            float[] weights = new float[rows * columns], x = RandomWeights.Laplace(3 * columns), y = new float[3 * rows];
            packed.Dequantize(weights);
            packed.Multiply(x, y, 3);
            for (int i = 0; i < y.Length; i++)
            {
                double expected = 0, norm = 0;
                for (int j = 0; j < columns; j++)
                {
                    double w = weights[(i % rows * columns) + j], input = x[(i / rows * columns) + j];
                    expected += w * input;
                    norm += input * input;
                }

                Assert.Equal(expected, y[i], 1e-5 * Math.Sqrt(norm * columns));
            }
        }
    }

    [Fact]
    public void TakesTheBytesOfItsFactors()
    {
        var packed = Encoder("keep", 5).Packed(RandomWeights.Gaussian(33 * 47), 33, 47);
        Assert.Equal(2 * 5 * (33 + 47), packed.StoredBytes);
        Assert.Equal(16.0 * 5 * (33 + 47) / (33 * 47), packed.BitsPerWeight);
    }

    [Fact]
    public void AnswersOnceForATableThatBothFactorsUse()
    {
        var packed = Encoder("higgs", 16).Packed(RandomWeights.Gaussian(64 * 64), 64, 64);
        // Codes of 4 bits, a scale for each of the 64 + 16 rows, and sixteen levels in bfloat16.
        Assert.Equal(8.0 * ((64 * 16 / 2) + (16 * 64 / 2) + (2 * (64 + 16)) + (2 * 16)) / (64 * 64), packed.BitsPerWeight);
    }

    [Fact]
    public void HasTheErrorOfTheSingularValuesAfterItsRank()
    {
        float[] weights = RandomWeights.Gaussian(60 * 90);
        double[] energies = new Factorization(new(Array.ConvertAll(weights, w => (double)w), 60, 90), null, default).Energies;
        double error = Encoder("keep", 20).RelativeError(weights, 60, 90);
        Assert.Equal(1, error / (energies[20..].Sum() / energies.Sum()), 1e-5); // factors are rounded to halves
    }

    [Theory]
    [InlineData(24, 40)]
    [InlineData(40, 24)]
    public void LosesLessOfOutputsIfWhitened(int rows, int columns)
    {
        float[] weights = RandomWeights.Gaussian(rows * columns);
        double plain = OutputError(weights, rows, columns, Encoder("keep", 6).Decoded(weights, rows, columns));
        double whitened = OutputError(weights, rows, columns, Encoder("keep", 6, whitened: true).Decoded(weights, rows, columns));
        double[] energies = new Factorization(
            new(Array.ConvertAll(weights, w => (double)w), rows, columns), new(Encoders.Inputs(columns).InputSecondMoments!, columns, columns), default).Energies;

        Assert.True(whitened < 0.95 * plain, $"{whitened} and {plain}");
        Assert.Equal(1, whitened / energies[6..].Sum(), 1e-5);
    }

    [Theory]
    [InlineData("keep")]
    [InlineData("higgs")]
    public void OfATransposedMatrixIsTheTransposed(string method)
    {
        float[] weights = RandomWeights.Gaussian(24 * 40), turned = new float[24 * 40];
        for (int i = 0; i < weights.Length; i++)
        {
            turned[(i % 40 * 24) + (i / 40)] = weights[i];
        }

        var encoder = Encoder(method, 6, whitened: true, feedback: method == "higgs");
        var inputs = Encoders.Inputs(40);
        double error = OutputError(weights, 24, 40, Decode(encoder.Encode(WeightMatrix.FromArray(weights, 24, 40), inputs, default), 24, 40));
        float[] other = Decode(encoder.Encode(WeightMatrix.FromArray(turned, 40, 24), inputs with { Transposed = true }, default), 40, 24);
        float[] back = new float[other.Length];
        for (int i = 0; i < back.Length; i++)
        {
            back[i] = other[(i % 40 * 24) + (i / 40)];
        }

        Assert.Equal(1, OutputError(weights, 24, 40, back) / error, method == "keep" ? 1e-5 : 0.2); // rows of codes are others
    }

    [Theory]
    [InlineData("higgs")]
    [InlineData("uniform")]
    public void CorrectsWhatAMethodLeaves(string method)
    {
        float[] weights = RandomWeights.Gaussian(64 * 96);
        float[] decoded = Encoder(method, null, bare: true).Decoded(weights, 64, 96);
        double[] left = [.. weights.Zip(decoded, (a, b) => (double)a - b)];
        double[] energies = new Factorization(new(left, 64, 96), null, default).Energies;
        double corrected = Encoders.RelativeError(weights, Encoder(method, 8, ofResidual: true).Decoded(weights, 64, 96));

        Assert.Equal(1, corrected * weights.Sum(w => (double)w * w) / energies[8..].Sum(), 1e-4);
    }

    [Theory]
    [InlineData("keep", 3.0)]
    [InlineData("higgs", 1.5)]
    public void TakesTheGreatestRankWithinItsBits(string method, double bits)
    {
        float[] weights = RandomWeights.Gaussian(64 * 96);
        var encoded = Encoder(method, null, bits: bits).Encoded(weights, 64, 96);
        int rank = (int)encoded.Parameters["rank"]!;

        Assert.True(Bits(encoded) <= bits);
        Assert.True(Bits(Encoder(method, rank + 1).Encoded(weights, 64, 96)) > bits);
    }

    [Fact]
    public void CannotTakeFewerBitsThanRankOne()
    {
        var error = Assert.Throws<CompressException>(() => Encoder("keep", null, bits: 0.1).Encoded(RandomWeights.Gaussian(64 * 96), 64, 96)).Diagnostic;
        Assert.Equal(Codes.RecipeBadValue, error.Code);
        Assert.Equal(("r.yaml", 3, 5), (error.File, error.Line, error.Column));
        Assert.Contains("0.1 bits per weight are too few for a matrix of 64 × 96: rank 1 takes 0.417", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1e30f)]
    [InlineData(1e-30f)]
    [InlineData(1.2e-38f)]
    public void MayBeOfAnyMagnitude(float factor)
    {
        float[] weights = RandomWeights.Gaussian(20 * 30);
        double expected = Encoder("keep", 5).RelativeError(weights, 20, 30);
        Assert.Equal(1, Encoder("keep", 5).RelativeError(Array.ConvertAll(weights, w => w * factor), 20, 30) / expected, 1e-4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OfZerosIsZero(bool ofResidual) =>
        Assert.All(Encoder("higgs", 2, ofResidual: ofResidual).Decoded(new float[12 * 40], 12, 40), value => Assert.Equal(0, value));

    [Fact]
    public void MayHaveNoElements()
    {
        foreach (var (rows, columns) in new[] { (0, 5), (5, 0), (0, 0) })
        {
            var packed = Encoder("keep", 2).Packed([], rows, columns);
            float[] y = [1, 1, 1, 1, 1];
            packed.Multiply(new float[packed.Columns], y.AsSpan(0, rows));
            Assert.All(y[..rows], value => Assert.Equal(0, value));
        }
    }

    private static ILayerEncoder Encoder(
        string method, int? rank, double? bits = null, bool whitened = false, bool ofResidual = false, bool feedback = false, bool bare = false)
    {
        ICodec codec = method == "keep" ? new KeptElements(DType.F16) : CodecTable.Find(method)!;
        codec = bare ? codec : new LowRankCodec(new(rank, null, bits, whitened, ofResidual, "r.yaml", new(3, 5)), codec);
        return codec.Configure(new SettingValues(codec.Settings, feedback ? new Dictionary<string, object> { ["feedback"] = "gptq" } : []), 0);
    }

    private static float[] Decode(EncodedTensor encoded, int rows, int columns)
    {
        float[] decoded = new float[rows * columns];
        DecodedTensor.Open(encoded, DType.F32, [rows, columns]).Dequantize(decoded);
        return decoded;
    }

    private static double Bits(EncodedTensor encoded) => encoded.Parts.Where(part => !part.Shared).Sum(part => 8.0 * part.Bytes.Length) / (64 * 96);

    private static double OutputError(float[] weights, int rows, int columns, float[] decoded)
    {
        double[] moments = Encoders.Inputs(columns).InputSecondMoments!;
        double sum = 0;
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                for (int k = 0; k < columns; k++)
                {
                    sum += ((double)weights[(i * columns) + j] - decoded[(i * columns) + j]) * moments[(j * columns) + k] * ((double)weights[(i * columns) + k] - decoded[(i * columns) + k]);
                }
            }
        }

        return sum;
    }
}
