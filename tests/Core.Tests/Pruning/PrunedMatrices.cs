using Compress.Core.Codecs;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Codecs.Sparse;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Pruning;
using Compress.Core.Tests.Infra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Pruning;

/// <summary>Matrices of which some weights become zero, and the others are kept or packed.</summary>
public class PrunedWeights
{
    private static readonly (int Rows, int Columns)[] Shapes = [(1, 1), (1, 40), (40, 1), (33, 47), (5, 3), (64, 172), (3, 2500), (1, 4097)];

    public static TheoryData<string, double> Sparsities => new()
    {
        { "keep", 0.3 }, { "keep", 0.5 }, { "keep", 0.9 }, { "keep", 0.999 }, { "uniform", 0.5 }, { "uniform", 0.8 }, { "kmeans", 0.5 }, { "kmeans", 0.95 },
    };

    [Theory, MemberData(nameof(Sparsities))]
    public void AreTheGreatestAndZeros(string method, double sparsity)
    {
        foreach (var (rows, columns) in Shapes)
        {
            float[] weights = RandomWeights.Gaussian(rows * columns);
            float[] decoded = Encoder(sparsity, method: method).Decoded(weights, rows, columns);
            int kept = Math.Max(1, weights.Length - (int)Math.Round(sparsity * weights.Length));
            float least = weights.Select(Math.Abs).Order().ElementAt(weights.Length - kept);
            for (int i = 0; i < weights.Length; i++)
            {
                float expected = Math.Abs(weights[i]) >= least ? weights[i] : 0;
                Assert.True(method == "keep" ? decoded[i] == expected : expected != 0 || decoded[i] == 0, $"[{rows}, {columns}] {i}: {decoded[i]}, expected {expected}");
            }
        }
    }

    // 1/2 − 2 a φ(a) with Φ(a) = 3/4; a sum over 2²⁰ weights strays by 3e-4 of the energy at most. Of four the lesser two: by numerical integration.
    [Theory]
    [InlineData(0.5, null, 0.07133)]
    [InlineData(null, "2:4", 0.1323)]
    public void OfANormalDistributionLoseAKnownEnergy(double? sparsity, string? pattern, double expected) =>
        Assert.Equal(expected, Encoder(sparsity, pattern).RelativeError(RandomWeights.Gaussian(1 << 20), 1 << 10, 1 << 10), 5e-4);

    [Theory]
    [InlineData("2:4", 3)]
    [InlineData("1:4", 2)]
    [InlineData("4:8", 7)]
    [InlineData("3:5", 4)]
    [InlineData("16:32", 30)]
    public void OfAPatternTakeTheBitsOfItsCombinations(string pattern, int bits)
    {
        int of = int.Parse(pattern.Split(':')[1], null), keep = int.Parse(pattern.Split(':')[0], null), columns = of * 12;
        float[] weights = RandomWeights.Gaussian(10 * columns);
        var packed = Encoder(null, pattern).Packed(weights, 10, columns);
        float[] decoded = new float[weights.Length];
        packed.Dequantize(decoded);

        Assert.Equal((((10 * 12 * bits) + 7) / 8) + (4 * 10 * 12 * keep), packed.StoredBytes);
        foreach (var (group, values) in decoded.Chunk(of).Index())
        {
            Assert.Equal(keep, values.Count(value => value != 0));
            Assert.True(values.Select(Math.Abs).Max() == weights.Skip(group * of).Take(of).Select(Math.Abs).Max());
        }
    }

    [Theory]
    [InlineData(0.5, "bitmap")]
    [InlineData(0.9, "gaps")]
    public void TakeTheBytesOfTheirMaskAndValues(double sparsity, string layout)
    {
        float[] weights = RandomWeights.Gaussian(1000 * 100);
        var encoded = Encoder(sparsity).Encoded(weights, 1000, 100);
        int kept = 100_000 - (int)(sparsity * 100_000);
        long mask = encoded.Parts.Single(part => part.Name == "mask").Bytes.Length;

        Assert.Equal(layout, (string)encoded.Parameters["layout"]!);
        Assert.Equal((4 * kept) + mask, DecodedTensor.Open(encoded, DType.F32, [1000, 100]).StoredBytes);
        // The entropy of so many weights; Rice's code takes 3 percent more at most where its parameter fits.
        double entropy = -((sparsity * Math.Log2(sparsity)) + ((1 - sparsity) * Math.Log2(1 - sparsity))) * 100_000 / 8;
        Assert.InRange(mask, 0.999 * entropy, 1.03 * entropy);
    }

    [Theory, MemberData(nameof(Sparsities))]
    public void MultiplyAsTheirDequantizedMatrix(string method, double sparsity)
    {
        foreach (var (rows, columns) in Shapes)
        {
            var packed = Encoder(sparsity, method: method).Packed(RandomWeights.Gaussian(rows * columns), rows, columns);
            float[] weights = new float[rows * columns];
            packed.Dequantize(weights);
            foreach (int batch in new[] { 1, 3, 20 })
            {
                float[] x = RandomWeights.Laplace(batch * columns), y = new float[batch * rows];
                packed.Multiply(x, y, batch);
                for (int i = 0; i < y.Length; i++)
                {
                    double expected = 0, size = 0;
                    for (int j = 0; j < columns; j++)
                    {
                        double product = (double)weights[(i % rows * columns) + j] * x[(i / rows * columns) + j];
                        (expected, size) = (expected + product, size + Math.Abs(product));
                    }

                    Assert.Equal(expected, y[i], 1e-6 * (size + 1e-30));
                }
            }
        }
    }

    // Scales, zero points and strips begin elsewhere than rows.
    [Theory]
    [InlineData("uniform", "groupSize", 64)]
    [InlineData("uniform", "groupSize", 1024)]
    [InlineData("uniform", "granularity", "tensor")]
    [InlineData("uniform", "symmetric", true)]
    [InlineData("kmeans", "bits", 3)]
    [InlineData("kmeans", "entropy", true)]
    public void AreUnpackedRowByRowAsAllAtOnce(string method, string setting, object value)
    {
        var packed = Encoder(0.6, method: method, setting: (setting, value)).Packed(RandomWeights.Laplace(90 * 333), 90, 333);
        float[] all = new float[90 * 333], row = new float[333];
        packed.Dequantize(all);
        for (int r = 0; r < 90; r++)
        {
            packed.DequantizeRows(r, 1, row);
            Assert.Equal(all[(r * 333)..((r + 1) * 333)], row);
        }

        var plain = Encoder(0.6).Packed(RandomWeights.Laplace(90 * 333), 90, 333);
        float[] exact = new float[all.Length];
        plain.Dequantize(exact);
        Assert.InRange(Encoders.RelativeError(exact, all), 1e-9, 0.05);
    }

    [Fact]
    public void OfEqualMagnitudeAreTheFirst()
    {
        float[] weights = [.. Enumerable.Range(0, 30).Select(i => i % 2 == 0 ? 1f : -1f)];
        Assert.Equal([.. weights[..15], .. new float[15]], Encoder(0.5).Decoded(weights, 3, 10));
        Assert.Equal([1, -1, 0, 0, 1, -1, 0, 0], Encoder(null, "2:4").Decoded(weights[..8], 1, 8));
    }

    [Fact]
    public void OfZerosAreZeros()
    {
        foreach (var saliency in Enum.GetValues<Saliency>())
        {
            Assert.All(Encoder(0.9, by: saliency, method: "kmeans").Decoded(new float[12 * 40], 12, 40), value => Assert.Equal(0, value));
        }
    }

    [Theory]
    [InlineData(1e30f)]
    [InlineData(1e-30f)]
    [InlineData(1e-40f)]
    public void MayBeOfAnyMagnitude(float factor)
    {
        float[] weights = Array.ConvertAll(RandomWeights.Gaussian(20 * 30), w => w * factor);
        foreach (var saliency in Enum.GetValues<Saliency>())
        {
            float[] decoded = Encoder(0.5, by: saliency).Decoded(weights, 20, 30);
            Assert.Equal(300, decoded.Count(value => value != 0));
        }
    }

    [Fact]
    public void MayBeNone()
    {
        foreach (var (rows, columns) in new[] { (0, 5), (5, 0), (0, 0) })
        {
            foreach (string? pattern in new[] { null, "2:5" })
            {
                var packed = Encoder(pattern is null ? 0.5 : null, pattern).Packed([], rows, columns);
                float[] y = [1, 1, 1, 1, 1];
                packed.Multiply(new float[packed.Columns], y.AsSpan(0, rows));
                Assert.All(y[..rows], value => Assert.Equal(0, value));
            }
        }
    }

    [Fact]
    public void AreOneAtLeast() => Assert.Equal([0, 0, -3, 0, 0], Encoder(0.999).Decoded([1, 2, -3, 1, 0], 5, 1));

    // Inputs that resemble their neighbours, and differ in size.
    [Theory]
    [InlineData(0.5, null)]
    [InlineData(0.7, null)]
    [InlineData(null, "2:4")]
    [InlineData(null, "3:6")]
    public void LoseLessOfOutputsTheMoreIsKnownOfInputs(double? sparsity, string? pattern)
    {
        const int Rows = 30, Columns = 192;
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        var inputs = Inputs(Columns);
        double[] losses = [.. Enum.GetValues<Saliency>().Select(by =>
        {
            float[] decoded = new float[weights.Length];
            DecodedTensor.Open(Encoder(sparsity, pattern, by).Encode(WeightMatrix.FromArray(weights, Rows, Columns), inputs, default), DType.F32, [Rows, Columns]).Dequantize(decoded);
            Assert.InRange(decoded.Count(value => value != 0), (1 - (sparsity ?? 0.5)) * weights.Length * 0.99, (1 - (sparsity ?? 0.5)) * weights.Length * 1.01);
            return OutputError(weights, decoded, Rows, Columns, inputs.InputSecondMoments!);
        })];

        Assert.True(losses[1] < 0.8 * losses[0] && losses[2] < 0.8 * losses[1], string.Join(" ", losses));
    }

    // Nothing is to be made up for where inputs have nothing in common: Wanda's choice, but for strips of 64 inputs.
    [Fact]
    public void OfUnrelatedInputsAreThoseOfWanda()
    {
        float[] weights = RandomWeights.Gaussian(6 * 64);
        double[] moments = new double[64 * 64];
        for (int i = 0; i < 64; i++)
        {
            moments[(i * 64) + i] = 1 + (i % 5);
        }

        var inputs = new LayerStatistics { Tokens = 1, InputSecondMoments = moments };
        Assert.Equal(Decode(Saliency.Wanda), Decode(Saliency.SparseGpt));

        float[] Decode(Saliency by)
        {
            float[] decoded = new float[weights.Length];
            // Without damping the two would be the same; with it, differences are below those of these weights.
            DecodedTensor.Open(Encoder(0.5, by: by).Encode(WeightMatrix.FromArray(weights, 6, 64), inputs, default), DType.F32, [6, 64]).Dequantize(decoded);
            return decoded;
        }
    }

    [Theory]
    [InlineData("Wanda", null)]
    [InlineData("SparseGpt", null)]
    [InlineData("SparseGpt", "2:4")]
    public void OfATransposedMatrixAreTheTransposed(string saliency, string? pattern)
    {
        var by = Enum.Parse<Saliency>(saliency);
        const int Out = 24, In = 80;
        float[] weights = RandomWeights.Gaussian(Out * In), turned = Turn(weights, Out, In);
        var (inputs, encoder) = (Inputs(In), Encoder(pattern is null ? 0.6 : null, pattern, by));
        float[] straight = new float[weights.Length], other = new float[weights.Length];
        DecodedTensor.Open(encoder.Encode(WeightMatrix.FromArray(weights, Out, In), inputs, default), DType.F32, [Out, In]).Dequantize(straight);
        DecodedTensor.Open(encoder.Encode(WeightMatrix.FromArray(turned, In, Out), inputs with { Transposed = true }, default), DType.F32, [In, Out]).Dequantize(other);

        Assert.Equal(Turn(straight, Out, In), other);
    }

    [Fact]
    public void MustBeDividedByTheirPattern()
    {
        var error = Assert.Throws<CompressException>(() => Encoder(null, "2:4", Saliency.Wanda).Encoded(new float[3 * 18], 3, 18)).Diagnostic;
        Assert.Equal((Codes.RecipeBadValue, "r.yaml", 3, 5), (error.Code, error.File, error.Line, error.Column));
        Assert.StartsWith("'pattern': found 2:4; a matrix of 3 × 18 has 18 weights for each output, which 4 does not divide", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MustSaveSomething()
    {
        var encoded = Encoder(0.1, method: "kmeans", setting: ("bits", 2)).Encoded(RandomWeights.Gaussian(100 * 100), 100, 100);
        var warning = Assert.Single(encoded.Warnings);
        Assert.Equal(Codes.RecipeSavesNothing, warning.Code);
        Assert.StartsWith("pruning takes 1 bits per weight to say which weights are kept, and saves 0.2", warning.Text, StringComparison.Ordinal);
        Assert.Empty(Encoder(0.5, method: "kmeans").Encoded(RandomWeights.Gaussian(100 * 100), 100, 100).Warnings);
    }

    private static float[] Turn(float[] values, int rows, int columns) => [.. Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)])];

    private static LayerStatistics Inputs(int columns)
    {
        double[] moments = Encoders.Inputs(columns, 0.8).InputSecondMoments!.ToArray();
        for (int i = 0; i < moments.Length; i++)
        {
            moments[i] *= (1 + (i / columns * 7 % 5)) * (1 + (i % columns * 7 % 5));
        }

        return new() { Tokens = 1000, InputSecondMoments = moments };
    }

    private static double OutputError(float[] weights, float[] decoded, int rows, int columns, double[] moments)
    {
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

    internal static ILayerEncoder Encoder(
        double? sparsity, string? pattern = null, Saliency by = Saliency.Magnitude, string method = "keep", (string Name, object Value)? setting = null)
    {
        ICodec inner = method == "keep" ? new KeptElements(DType.F32) : CodecTable.Find(method)!;
        (int, int)? parsed = pattern is null ? null : (int.Parse(pattern.Split(':')[0], null), int.Parse(pattern.Split(':')[1], null));
        var codec = new PruneCodec(new(sparsity, parsed, by, false, "r.yaml", new(3, 5)), inner);
        return codec.Configure(new SettingValues(codec.Settings, setting is var (name, value) ? new Dictionary<string, object> { [name] = value } : []), 0);
    }
}
