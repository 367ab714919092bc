using Compress.Core.Codecs;
using Compress.Core.Codecs.Feedback;
using Compress.Core.Codecs.Higgs;
using Compress.Core.Models;
using Compress.Core.Numerics.LinearAlgebra;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.Numerics.LinearAlgebra;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.Higgs;

public class HiggsFeedbackTests
{
    private static readonly (string, object) Gptq = ("feedback", "gptq"), InOrder = ("actOrder", false);

    // algorithms 5.1 for blocks: errors of all codes are alike, so the loss is tr(D) / tr(H) of that without feedback, H being the moments of rotated inputs. For
    // p = 1 and one rotation it would be the 1 − ρ² of plain columns only if the rotation kept neighbours together.
    [Theory]
    [InlineData(1, 16, 1024, 0.9)]
    [InlineData(1, 16, 64, 0.9)]
    [InlineData(1, 64, 1024, 0.5)]
    [InlineData(2, 256, 1024, 0.9)]
    [InlineData(2, 256, 32, 0.99)]
    [InlineData(3, 512, 1024, 0.9)]
    [InlineData(3, 830, 64, 0.9)]
    [InlineData(4, 256, 64, 0.9)]
    public void LossIsThePredictedPartOfPlainRoundings(int p, int n, int groupSize, double correlation)
    {
        const int Rows = 128, Columns = 256;
        double[] h = Matrices.Autoregressive(Columns, correlation), rotated = Rotated(h, Columns, groupSize);
        (string, object)[] settings = [("p", p), ("n", n), ("groupSize", groupSize)];
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        double plain = Loss(Encoders.Of("higgs", settings).Encoded(weights, Rows, Columns), weights, Rows, Columns, h, false);
        double fedBack = Loss(Encode([.. settings, Gptq, InOrder, ("damping", 0)], weights, Rows, Columns, h), weights, Rows, Columns, h, false);
        var ldl = new BlockLdl(DampedCholesky.Upper(rotated, [.. Enumerable.Range(0, Columns)], 0, out _)!, Columns, p);
        double ratio = Enumerable.Range(0, Columns).Sum(i => ldl.Diagonal(i, i)) / Columns;
        Assert.Equal(1, fedBack / plain / ratio, 0.15);
    }

    [Theory]
    [InlineData(1, 8, 1024)]
    [InlineData(1, 100, 32)]
    [InlineData(2, 64, 64)]
    [InlineData(2, 1024, 64)]
    [InlineData(3, 830, 16)]
    [InlineData(4, 256, 16)]
    [InlineData(8, 256, 32)]
    public void UncorrelatedInputsGiveTheBytesOfPlainRounding(int p, int n, int groupSize)
    {
        (string, object)[] settings = [("p", p), ("n", n), ("groupSize", groupSize)];
        foreach (var (rows, columns) in new[] { (1, 1), (1, 70), (70, 1), (5, 172), (66, 131), (3, 256) })
        {
            float[] weights = RandomWeights.Laplace(rows * columns);
            byte[][] plain = Bytes(Encoders.Of("higgs", settings).Encoded(weights, rows, columns));
            Assert.Equal(plain, Bytes(Encode([.. settings, Gptq, InOrder], weights, rows, columns, Matrices.Identity(columns))));
            Assert.Equal(plain, Bytes(Encode([.. settings, Gptq], weights, rows, columns, Matrices.Identity(rows), transposed: true)));
        }
    }

    // Wᵀ is stored: the rotation mixes outputs, feedback runs over rows. 1 − ρ² of plain rounding's, but for the last input.
    [Theory]
    [InlineData(1, 16, 1024)]
    [InlineData(2, 64, 64)]
    [InlineData(3, 512, 64)]
    public void TransposedMatrixHasThePredictedLossToo(int p, int n, int groupSize)
    {
        const int Inputs = 96, Outputs = 150;
        double[] h = Matrices.Autoregressive(Inputs, 0.9);
        (string, object)[] settings = [("p", p), ("n", n), ("groupSize", groupSize)];
        float[] weights = RandomWeights.Gaussian(Inputs * Outputs);
        double plain = Loss(Encoders.Of("higgs", settings).Encoded(weights, Inputs, Outputs), weights, Inputs, Outputs, h, true);
        var encoded = Encode([.. settings, Gptq, InOrder, ("damping", 0)], weights, Inputs, Outputs, h, transposed: true);
        Assert.Equal(1, Loss(encoded, weights, Inputs, Outputs, h, true) / plain / (0.19 + (0.81 / Inputs)), 0.15);
    }

    // One group to a row, so nothing comes after it: its scale is the best there is for the codes in the metric of the damped moments.
    [Theory]
    [InlineData(0.99f, true)]
    [InlineData(1.01f, true)]
    [InlineData(1.01f, false)]
    public void ScaleFitsBest(float factor, bool activationOrder)
    {
        const int Columns = 90;
        double[] h = Matrices.Autoregressive(Columns, 0.9), damped = Matrices.Make(Columns, Columns, (i, j) => h[(i * Columns) + j] + (i == j ? 0.01 : 0));
        float[] weights = RandomWeights.Gaussian(Columns);
        var encoded = Encode([("bits", 2), Gptq, ("actOrder", activationOrder)], weights, 1, Columns, h);
        float[] decoded = Decoded(encoded, 1, Columns);
        Assert.True(
            Loss(weights, Array.ConvertAll(decoded, value => value * factor), Columns, damped) > Loss(weights, decoded, Columns, damped));
    }

    // R x xᵀ Rᵀ is the moment of what the Runtime makes of x.
    [Theory]
    [InlineData(1, 1024)]
    [InlineData(3, 16)]
    [InlineData(54, 16)]
    [InlineData(172, 1024)]
    [InlineData(256, 64)]
    public void MomentsAreThoseOfRotatedInputs(int width, int groupSize)
    {
        float[] x = RandomWeights.Gaussian(width), rotated = [.. x];
        new Rotation(width, groupSize, 7).Apply(rotated);
        double[] moments = RotatedMoments.Of(Matrices.Make(width, width, (i, j) => (double)x[i] * x[j]), width, groupSize, 7, CancellationToken.None);
        Matrices.AssertClose(Matrices.Make(width, width, (i, j) => (double)rotated[i] * rotated[j]), moments, 1e-4);
    }

    [Fact]
    public void MomentsKeepTheirTrace()
    {
        double[] h = Matrices.Sample(172, 40);
        Assert.Equal(Matrices.Trace(h, 172), Matrices.Trace(RotatedMoments.Of(h, 172, 64, 3, CancellationToken.None), 172), 1e-10);
    }

    // Inputs of one strength in each block of the rotation stay uncorrelated; the last block comes first.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void GroupsInAnotherOrderKeepTheirScales(int p)
    {
        (string, object)[] settings = [("bits", 3), ("p", p), ("groupSize", 32)];
        float[] weights = RandomWeights.Laplace(5 * 96);
        double[] h = Matrices.Make(96, 96, (i, j) => i == j ? 1 + (i / 32 * 3) : 0);
        Assert.Equal(Decoded(Encoders.Of("higgs", settings).Encoded(weights, 5, 96), 5, 96), Decoded(Encode([.. settings, Gptq], weights, 5, 96, h), 5, 96));
    }

    // Squares of such weights overflow, or vanish.
    [Theory]
    [InlineData(-100, false)]
    [InlineData(-100, true)]
    [InlineData(100, false)]
    [InlineData(100, true)]
    public void MagnitudeDoesNotMatter(int exponent, bool transposed)
    {
        const int Size = 90;
        double[] h = Matrices.Autoregressive(Size, 0.9);
        float[] weights = RandomWeights.Gaussian(Size * Size), scaled = Array.ConvertAll(weights, w => MathF.ScaleB(w, exponent));
        Assert.Equal(
            Decoded(Encode([("bits", 3), Gptq], weights, Size, Size, h, transposed), Size, Size).Select(w => MathF.ScaleB(w, exponent)),
            Decoded(Encode([("bits", 3), Gptq], scaled, Size, Size, h, transposed), Size, Size));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void ZerosStayZeros(int p, bool transposed)
    {
        const int Size = 70;
        (string, object)[] settings = [("bits", 2), ("p", p), ("groupSize", 16), Gptq];
        double[] h = Matrices.Autoregressive(Size, 0.9);
        Assert.All(Decoded(Encode(settings, new float[Size * Size], Size, Size, h, transposed), Size, Size), w => Assert.Equal(0, w));
        if (!transposed)
        {
            float[] weights = RandomWeights.Gaussian(Size * Size);
            weights.AsSpan(Size, Size).Clear();
            float[] decoded = Decoded(Encode(settings, weights, Size, Size, h), Size, Size);
            Assert.All(decoded[Size..(2 * Size)], w => Assert.Equal(0, w));
            Assert.Contains(decoded[..Size], w => w != 0); // single ones may cancel out
        }
    }

    // Factors are found by the moments before their rotation, which the seed decides.
    [Fact]
    public void FactorOfAnotherRotationIsNotTaken()
    {
        double[] h = Matrices.Autoregressive(64, 0.9);
        float[] weights = RandomWeights.Gaussian(3 * 64);
        SharedFactors.Instance.Clear();
        byte[][] alone = Seeded(2);
        SharedFactors.Instance.Clear();
        Seeded(1);
        Assert.Equal(alone, Seeded(2));

        byte[][] Seeded(ulong seed) => Bytes(Encoders.Of("higgs", seed, ("bits", 3), Gptq).Encode(
            WeightMatrix.FromArray(weights, 3, 64), new LayerStatistics { Tokens = 100, InputSecondMoments = h }, CancellationToken.None));
    }

    [Fact]
    public void WithoutStatisticsItIsPlainRounding()
    {
        float[] weights = RandomWeights.Gaussian(4 * 100);
        var matrix = WeightMatrix.FromArray(weights, 4, 100);
        Assert.Equal(
            Bytes(Encoders.Of("higgs", ("bits", 3)).Encoded(weights, 4, 100)),
            Bytes(Encoders.Of("higgs", ("bits", 3), Gptq).Encode(matrix, null, CancellationToken.None)));
    }

    [Theory]
    [InlineData("damping", 5)]
    [InlineData("actOrder", true)]
    public void SettingOfFeedbackWithoutItIsRefused(string setting, object value) =>
        Assert.Equal(setting, Assert.Throws<SettingException>(() => Encoders.Of("higgs", (setting, value))).Setting);

    [Fact]
    public void OnlyFeedbackNeedsStatistics()
    {
        Assert.Equal(StatisticKinds.None, Encoders.Of("higgs").Needs);
        Assert.Equal(StatisticKinds.InputSecondMoments, Encoders.Of("higgs", Gptq).Needs);
        Assert.EndsWith(" feedback=gptq damping=1 actOrder=true", Encoders.Of("higgs", Gptq).Settings, StringComparison.Ordinal);
    }

    // By the rows of the rotation as the Runtime has it.
    private static double[] Rotated(double[] h, int width, int groupSize)
    {
        double[] basis = new double[width * width]; // column i is R e_i
        for (int i = 0; i < width; i++)
        {
            float[] unit = new float[width];
            unit[i] = 1;
            new Rotation(width, groupSize, 0).Apply(unit);
            for (int j = 0; j < width; j++)
            {
                basis[(j * width) + i] = unit[j];
            }
        }

        return Matrices.Product(Matrices.Product(basis, h, width, width, width), Matrices.Transpose(basis, width, width), width, width, width);
    }

    private static double Loss(EncodedTensor encoded, float[] weights, int rows, int columns, double[] h, bool transposed)
    {
        float[] decoded = Decoded(encoded, rows, columns);
        return transposed
            ? Loss(Turned(weights, rows, columns), Turned(decoded, rows, columns), rows, h)
            : Loss(weights, decoded, columns, h);
    }

    private static double Loss(float[] weights, float[] decoded, int inputs, double[] h)
    {
        double[] error = [.. weights.Zip(decoded, (w, r) => (double)w - r)];
        return error.Zip(Matrices.Product(error, h, error.Length / inputs, inputs, inputs), (a, b) => a * b).Sum();
    }

    private static float[] Turned(float[] matrix, int rows, int columns) =>
        [.. Enumerable.Range(0, matrix.Length).Select(i => matrix[(i % rows * columns) + (i / rows)])];

    private static EncodedTensor Encode((string, object)[] settings, float[] weights, int rows, int columns, double[] moments, bool transposed = false) =>
        Encoders.Of("higgs", settings).Encode(
            WeightMatrix.FromArray(weights, rows, columns),
            new LayerStatistics { Tokens = 100, InputSecondMoments = moments, Transposed = transposed }, CancellationToken.None);

    private static byte[][] Bytes(EncodedTensor encoded) => [.. encoded.Parts.Select(part => part.Bytes)];

    private static float[] Decoded(EncodedTensor encoded, int rows, int columns)
    {
        float[] decoded = new float[rows * columns];
        DecodedTensor.Open(encoded, DType.F32, [rows, columns]).Dequantize(decoded);
        return decoded;
    }
}
