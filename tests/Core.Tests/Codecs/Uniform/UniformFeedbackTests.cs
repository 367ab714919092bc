using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Codecs.Uniform;

public class UniformFeedbackTests
{
    private static readonly (string, object) Gptq = ("feedback", "gptq");

    // algorithms 5.1: loss with feedback by loss without, measured there on 128 × 256 normal weights. The more the inputs are correlated, the more plain
    // rounding's varies from draw to draw.
    [Theory]
    [InlineData(0.5, 2, 0.732)]
    [InlineData(0.5, 3, 0.726)]
    [InlineData(0.5, 4, 0.713)]
    [InlineData(0.9, 2, 0.197)]
    [InlineData(0.9, 3, 0.187)]
    [InlineData(0.9, 4, 0.192)]
    [InlineData(0.99, 2, 0.027)]
    [InlineData(0.99, 3, 0.027)]
    [InlineData(0.99, 4, 0.030)]
    public void LossIsThePublishedPartOfPlainRoundings(double correlation, int bits, double ratio) =>
        Assert.Equal(1, LossRatio(Matrices.Autoregressive(256, correlation), bits, ("actOrder", false)) / ratio, correlation > 0.9 ? 0.25 : 0.12);

    // There too: the order of strength destroys the locality of such inputs, 0.243 for 0.197.
    [Fact]
    public void ActivationOrderHarmsWhereOnlyNeighboursAreCorrelated()
    {
        var random = new RandomWeights(9);
        double[] strength = [.. Enumerable.Range(0, 256).Select(_ => 1 + (0.01 * random.Uniform()))];
        double[] h = Matrices.Autoregressive(256, 0.9);
        double[] shuffled = Matrices.Make(256, 256, (i, j) => h[(i * 256) + j] * strength[i] * strength[j]);
        Assert.InRange(LossRatio(shuffled, 3, ("actOrder", true)) / LossRatio(shuffled, 3, ("actOrder", false)), 1.1, 1.4);
    }

    [Theory]
    [InlineData("tensor", true)]
    [InlineData("channel", false)]
    [InlineData("group", true)]
    [InlineData("group", false)]
    public void UncorrelatedInputsGiveTheBytesOfPlainRounding(string granularity, bool activationOrder)
    {
        foreach (bool symmetric in new[] { false, true })
        {
            foreach (var (rows, columns) in new[] { (1, 1), (1, 70), (70, 1), (5, 172), (66, 130) })
            {
                (string, object)[] settings = [("bits", 3), ("granularity", granularity), ("symmetric", symmetric), ("clip", "mse")];
                float[] weights = RandomWeights.Laplace(rows * columns);
                var plain = Encoders.Of("uniform", settings).Encoded(weights, rows, columns);
                var fedBack = Encode([.. settings, Gptq, ("actOrder", activationOrder)], weights, rows, columns, Matrices.Identity(columns));
                Assert.Equal(plain.Parameters.ToJsonString(), fedBack.Parameters.ToJsonString());
                Assert.Equal(plain.Parts.Select(part => part.Bytes), fedBack.Parts.Select(part => part.Bytes));
            }
        }
    }

    [Fact]
    public void WithoutStatisticsItIsPlainRounding()
    {
        float[] weights = RandomWeights.Gaussian(4 * 100);
        var matrix = WeightMatrix.FromArray(weights, 4, 100);
        Assert.Equal(
            Encoders.Of("uniform", ("bits", 3)).Encoded(weights, 4, 100).Parts[0].Bytes,
            Encoders.Of("uniform", ("bits", 3), Gptq).Encode(matrix, null, CancellationToken.None).Parts[0].Bytes);
    }

    // A matrix that is stored as [in, out] is rounded like the one stored as [out, in], where both have the same scales.
    [Fact]
    public void TransposedMatrixIsRoundedAlike()
    {
        const int Outputs = 70, Inputs = 90;
        (string, object)[] settings = [("bits", 4), ("granularity", "tensor"), Gptq];
        float[] weights = RandomWeights.Gaussian(Outputs * Inputs), turned = new float[weights.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            turned[(i % Inputs * Outputs) + (i / Inputs)] = weights[i];
        }

        double[] h = Matrices.Sample(Inputs, 200);
        float[] decoded = Decoded(Encode(settings, weights, Outputs, Inputs, h), Outputs, Inputs);
        float[] decodedTurned = Decoded(Encode(settings, turned, Inputs, Outputs, h, transposed: true), Inputs, Outputs);
        Assert.NotEqual(Decoded(Encode(settings, weights, Outputs, Inputs, Matrices.Identity(Inputs)), Outputs, Inputs), decoded);
        for (int i = 0; i < decoded.Length; i++)
        {
            Assert.Equal(decoded[i], decodedTurned[(i % Inputs * Outputs) + (i / Inputs)]);
        }
    }

    // Every weight stays one of the levels of its scale, however far errors push it.
    [Fact]
    public void CodesStayWithinTheirRange()
    {
        double[] h = Matrices.Make(64, 64, (i, j) => 1);
        foreach (bool symmetric in new[] { false, true })
        {
            float[] decoded = Decoded(Encode([("bits", 2), ("symmetric", symmetric), Gptq, ("damping", 0)], RandomWeights.Gaussian(8 * 64), 8, 64, h), 8, 64);
            Assert.All(decoded.Chunk(64), row => Assert.InRange(row.Distinct().Count(), 2, symmetric ? 3 : 4));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.7f)]
    public void ConstantWeightsStayExact(float value)
    {
        float[] constant = new float[3 * 100];
        Array.Fill(constant, value);
        Assert.All(Decoded(Encode([("bits", 3), Gptq], constant, 3, 100, Matrices.Sample(100, 30)), 3, 100), w => Assert.Equal(value, w, 1e-3));
    }

    [Theory]
    [InlineData("damping", 5)]
    [InlineData("actOrder", true)]
    public void SettingOfFeedbackWithoutItIsRefused(string setting, object value)
    {
        var exception = Assert.Throws<SettingException>(() => Encoders.Of("uniform", (setting, value)));
        Assert.Equal(setting, exception.Setting);
        Assert.Contains("feedback: gptq", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OnlyFeedbackNeedsStatistics()
    {
        Assert.Equal(StatisticKinds.None, Encoders.Of("uniform").Needs);
        Assert.Equal(StatisticKinds.InputSecondMoments, Encoders.Of("uniform", Gptq).Needs);
        Assert.Equal("bits=8 symmetric=false granularity=group groupSize=64 clip=none feedback=gptq damping=1 actOrder=true", Encoders.Of("uniform", Gptq).Settings);
    }

    private static double LossRatio(double[] h, int bits, (string, object) order)
    {
        const int Rows = 128, Columns = 256;
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        (string, object)[] settings = [("bits", bits), ("granularity", "channel")];
        return Loss(Encode([.. settings, Gptq, order], weights, Rows, Columns, h)) / Loss(Encoders.Of("uniform", settings).Encoded(weights, Rows, Columns));

        double Loss(EncodedTensor encoded)
        {
            double[] error = [.. weights.Zip(Decoded(encoded, Rows, Columns), (w, r) => (double)w - r)];
            return error.Zip(Matrices.Product(error, h, Rows, Columns, Columns), (a, b) => a * b).Sum();
        }
    }

    private static EncodedTensor Encode((string, object)[] settings, float[] weights, int rows, int columns, double[] moments, bool transposed = false) =>
        Encoders.Of("uniform", settings).Encode(
            WeightMatrix.FromArray(weights, rows, columns),
            new LayerStatistics { Tokens = 100, InputSecondMoments = moments, Transposed = transposed }, CancellationToken.None);

    private static float[] Decoded(EncodedTensor encoded, int rows, int columns)
    {
        float[] decoded = new float[rows * columns];
        DecodedTensor.Open(encoded, Compress.Runtime.Safetensors.DType.F32, [rows, columns]).Dequantize(decoded);
        return decoded;
    }
}
