using Compress.Core.Codecs;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Codecs.Cvxq;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.Cvxq;

/// <summary>b = (W − Ŵ) E[x], a half for each output, which products add.</summary>
public class BiasCorrectionTests
{
    private const int Rows = 24, Columns = 140;

    private static readonly float[] Weights = RandomWeights.Gaussian(Rows * Columns);

    private static readonly double[] Means = Array.ConvertAll(RandomWeights.Gaussian(Columns, 5), mean => (double)mean);

    [Theory]
    [InlineData("normal")]
    [InlineData("laplace")]
    public void ProductsWithTheMeanInputAreThoseOfTheSource(string quantizer)
    {
        var packed = Packed(Encoder(("quantizer", quantizer)), Statistics());
        float[] decoded = new float[Weights.Length], mean = Array.ConvertAll(Means, value => (float)value), y = new float[Rows], batch = new float[5 * Rows];
        packed.Dequantize(decoded);
        packed.Multiply(mean, y);
        packed.Multiply([.. mean, .. mean, .. mean, .. mean, .. mean], batch, 5);
        double worst = 0;
        for (int row = 0; row < Rows; row++)
        {
            double exact = Product(Weights, row), lossy = Product(decoded, row);
            double rounding = Math.Abs(exact - lossy) / 2048;
            Assert.Equal(exact - lossy, packed.OutputBias[row], rounding);
            Assert.Equal(exact, y[row], rounding + 1e-4);
            Assert.All(Enumerable.Range(0, 5), vector => Assert.Equal(y[row], batch[(vector * Rows) + row], 1e-4f));
            worst = Math.Max(worst, Math.Abs(exact - lossy));
        }

        Assert.True(worst > 0.5, "there was nothing to correct");
    }

    [Fact]
    public void SeveralMatricesAddTheirOwn()
    {
        var corrected = Packed(Encoder(), Statistics());
        var plain = Packed(Encoder(("biasCorrection", false)), Statistics());
        float[] x = new float[Columns], y = new float[2 * Rows];
        PackedTensor.MultiplyAll([corrected, plain], x, y);
        Assert.Equal([.. corrected.OutputBias, .. new float[Rows]], y);
    }

    [Fact]
    public void EveryKernelAddsIt()
    {
        var encoded = Encoder().Encode(WeightMatrix.FromArray(Weights, Rows, Columns), Statistics(), CancellationToken.None);
        foreach (var kernel in Kernel.All)
        {
            var tensor = new CvxqTensor(DecodedTensor.Parts(encoded, DType.F32, [Rows, Columns]), kernel);
            float[] y = new float[Rows];
            tensor.Multiply(new float[Columns], y);
            Assert.Equal(tensor.OutputBias, y);
        }
    }

    [Fact]
    public void HalvesAreCounted()
    {
        var encoder = Encoder();
        Assert.Equal(2 * Rows, Packed(encoder, Statistics()).StoredBytes - Packed(encoder, null).StoredBytes);
    }

    // A half for each of 64 weights is a quarter of a bit for each.
    [Theory]
    [InlineData(64, false, false)]
    [InlineData(64, true, true)]
    [InlineData(128, false, true)]
    public void ShortRowsHaveNoneUnlessAskedFor(int columns, bool asked, bool expected)
    {
        var encoder = asked ? Encoder(("biasCorrection", true)) : Encoder();
        var encoded = encoder.Encode(
            WeightMatrix.FromArray(Weights[..(4 * columns)], 4, columns), new() { Tokens = 1, InputSecondMoments = Encoders.Inputs(columns).InputSecondMoments, InputMeans = Means[..columns] }, CancellationToken.None);
        Assert.Equal(expected, encoded.Parts.Any(part => part.Name == "bias"));
    }

    // Two bits leave 0.117 of the energy of normal weights, three 0.035.
    [Theory]
    [InlineData(2, false, false)]
    [InlineData(2, true, true)]
    [InlineData(3, false, true)]
    public void LargeErrorsHaveNoneUnlessAskedFor(double bits, bool asked, bool expected)
    {
        var encoder = asked ? Encoder(("bits", bits), ("biasCorrection", true)) : Encoder(("bits", bits));
        var statistics = new LayerStatistics { Tokens = 1, InputSecondMoments = Encoders.Inputs(256).InputSecondMoments, InputMeans = new double[256] };
        var encoded = encoder.Encode(WeightMatrix.FromArray(RandomWeights.Gaussian(64 * 256), 64, 256), statistics, CancellationToken.None);
        Assert.Equal(expected, encoded.Parts.Any(part => part.Name == "bias"));
    }

    [Fact]
    public void LargeErrorsOfABudgetHaveOne()
    {
        var statistics = new LayerStatistics { Tokens = 1, InputSecondMoments = Encoders.Inputs(256).InputSecondMoments, InputMeans = new double[256] };
        var encoder = ((IGroupEncoder)Encoder()).WithCodeBits(64 * 256);
        Assert.Contains(encoder.Encode(WeightMatrix.FromArray(RandomWeights.Gaussian(64 * 256), 64, 256), statistics, CancellationToken.None).Parts, part => part.Name == "bias");
    }

    // Nothing multiplies with rows of a matrix that is stored as [in, out].
    [Fact]
    public void TransposedLayersHaveNone() => Assert.True(Packed(
        Encoder(), new() { Tokens = 1, Transposed = true, InputSecondMoments = new double[Rows * Rows], InputMeans = new double[Rows] }).OutputBias.IsEmpty);

    [Theory]
    [InlineData(false, "none", false)]
    [InlineData(true, "none", true)]
    [InlineData(false, "inputs", true)]
    public void NeedsMeansOnlyWhereThereIsACalibration(bool asked, string sensitivity, bool expected)
    {
        var encoder = asked ? Encoder(("sensitivity", sensitivity), ("biasCorrection", true)) : Encoder(("sensitivity", sensitivity));
        Assert.Equal(expected, encoder.Needs.HasFlag(StatisticKinds.InputMeans));
    }

    [Fact]
    public void ABiasThatIsNotFiniteIsRefused()
    {
        var encoded = Encoder().Encode(WeightMatrix.FromArray(Weights, Rows, Columns), Statistics(), CancellationToken.None);
        encoded.Parts[^1].Bytes[1] = 0x7C;
        encoded.Parameters["biasExponent"] = 113;
        Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(encoded, DType.F32, [Rows, Columns]));
    }

    private static ILayerEncoder Encoder(params (string, object)[] settings) =>
        Encoders.Of("cvxq",
        [
            .. settings.Any(setting => setting.Item1 == "bits") ? [] : new (string, object)[] { ("bits", 3.0) },
            .. settings.Any(setting => setting.Item1 == "sensitivity") ? [] : new (string, object)[] { ("sensitivity", "inputs") },
            .. settings,
        ]);

    private static LayerStatistics Statistics() => Encoders.Inputs(Columns) with { InputMeans = Means };

    private static PackedTensor Packed(ILayerEncoder encoder, LayerStatistics? statistics) =>
        DecodedTensor.Open(encoder.Encode(WeightMatrix.FromArray(Weights, Rows, Columns), statistics, CancellationToken.None), DType.F32, [Rows, Columns]);

    private static double Product(float[] weights, int row)
    {
        double sum = 0;
        for (int column = 0; column < Columns; column++)
        {
            sum += (double)weights[(row * Columns) + column] * (float)Means[column];
        }

        return sum;
    }
}
