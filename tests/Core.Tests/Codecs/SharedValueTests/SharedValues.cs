using System.Buffers.Binary;
using Compress.Core.Codecs;
using Compress.Core.Codecs.KMeans;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.SharedValueTests;

public class Clusters
{
    // Every way to cut ten points into runs is tried.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(4, 4)]
    [InlineData(5, 7)]
    [InlineData(6, 9)]
    [InlineData(7, 10)]
    public void HaveTheLeastErrorOfAll(int seed, int clusters)
    {
        var random = new Random(seed);
        double[] values = [.. Enumerable.Range(0, 10).Select(_ => Math.Round(4 * random.NextDouble(), 1) + (random.Next(5) == 0 ? 1e6 : 0)).Order()];
        var atoms = new Atoms(values, [.. values.Select(_ => 0.1 + random.NextDouble())]);
        double least = Enumerable.Range(0, 1 << 9).Where(cuts => int.PopCount(cuts) == clusters - 1).Min(cuts => Error(atoms, Means(atoms, cuts)));
        Assert.Equal(least, Error(atoms, OptimalClustering.Centres(atoms, clusters, default)), 1e-9 + (1e-6 * least));
    }

    [Fact]
    public void OfLloydFollowThePaperAndMayBeWorse()
    {
        // From 0, 5 and 10: the first takes 0, 1 and 2.5, the second nothing, the last 9 and 10.
        var atoms = new Atoms([0, 1, 2.5, 9, 10], [1, 1, 1, 1, 1]);
        Assert.Equal([3.5 / 3, 5, 9.5], LloydClustering.Centres(atoms, 3, default));
        Assert.Equal([0.5, 2.5, 9.5], OptimalClustering.Centres(atoms, 3, default));
    }

    [Fact]
    public void OfManyWeightsAreAsGoodAsExactOnes()
    {
        float[] weights = RandomWeights.Gaussian(AtomCollector.ExactCount);
        double[] ones = [.. weights.Select(_ => 1.0)];
        var all = new Atoms([.. weights.Select(w => (double)w).Order()], ones);
        Assert.Equal(all.Values, Collected(AtomCollector.ExactCount).Values);
        var binned = Collected(AtomCollector.ExactCount + 1);
        Assert.True(binned.Values.Length < weights.Length);
        foreach (int clusters in new[] { 4, 16 })
        {
            double best = Error(all, OptimalClustering.Centres(all, clusters, default)), found = Error(all, OptimalClustering.Centres(binned, clusters, default));
            Assert.InRange(found / best, 1 - 1e-9, 1.0001);
        }

        Atoms Collected(long capacity)
        {
            var collector = new AtomCollector(capacity);
            collector.Add(weights, ones);
            return collector.Take(16, out _);
        }
    }

    private static double[] Means(Atoms atoms, int cuts)
    {
        var means = new List<double>();
        for (int begin = 0, end = 1; end <= atoms.Values.Length; end++)
        {
            if (end == atoms.Values.Length || (cuts >> (end - 1) & 1) != 0)
            {
                double mass = atoms.Masses[begin..end].Sum();
                means.Add(Enumerable.Range(begin, end - begin).Sum(i => atoms.Masses[i] * atoms.Values[i]) / mass);
                begin = end;
            }
        }

        return [.. means];
    }

    private static double Error(Atoms atoms, double[] centres) =>
        atoms.Values.Zip(atoms.Masses).Sum(atom => atom.Second * centres.Min(centre => (atom.First - centre) * (atom.First - centre)));
}

public class SharedValues
{
    // The least error that levels for normal weights can have: Max (1960), table I; 1 − 2/π for two levels.
    [Theory]
    [InlineData(1, 0.36338)]
    [InlineData(2, 0.11748)]
    [InlineData(3, 0.03455)]
    [InlineData(4, 0.009501)]
    [InlineData(5, 0.002499)]
    public void OfNormalWeightsHaveTheErrorOfLloydAndMax(int bits, double expected)
    {
        float[] weights = RandomWeights.Gaussian(64 * 4096);
        Assert.InRange(Encoders.Of("kmeans", ("bits", bits)).RelativeError(weights, 64, 4096) / expected, 0.98, 1.01);
    }

    [Theory]
    [InlineData(4, 0, 5, 4096, (5 * 2048) + 2 + (2 * 16))]
    [InlineData(4, 2, 5, 4096, (5 * 2048) + (3 * (2 + 32)))]
    [InlineData(3, 1, 3, 172, (3 * 65) + (3 * (2 + 16)))]
    [InlineData(8, 0, 7, 54, (7 * 54) + 2 + 512)]
    public void TakeTheDocumentedBytes(int bits, int shareRows, int rows, int columns, int bytes)
    {
        var encoded = Encoders.Of("kmeans", ("bits", bits), ("shareRows", shareRows)).Encoded(RandomWeights.Gaussian(rows * columns), rows, columns);
        Assert.Equal(bytes, encoded.Parts.Sum(part => part.Bytes.Length));
    }

    [Fact]
    public void AreExactWhereTheyAreFew()
    {
        float[] few = [-3, 0.5f, 0.25f, 1000, 7, -0.125f, 2, 1];
        float[] weights = [.. Enumerable.Range(0, 8 * 50).Select(i => few[i * 5 % 8])];
        Assert.Equal(weights, Encoders.Of("kmeans", ("bits", 3)).Decoded(weights, 8, 50));
    }

    // Worked by hand: 1 and 2 share 1.5, 7 and 9 share 8. The largest comes to 8 · 2^11, by a scale of 2^−11.
    [Fact]
    public void StandInTheFileAsDocumented()
    {
        var encoded = Encoders.Of("kmeans", ("bits", 1)).Encoded([1, 9, 2, 7], 1, 4);
        Assert.Equal("""{"bits":1,"shareRows":1,"scaleExponent":-25}""", encoded.Parameters.ToJsonString());
        Assert.Equal(["codes", "scales", "values"], encoded.Parts.Select(part => part.Name));
        Assert.Equal([0b1010], encoded.Parts[0].Bytes);
        Assert.Equal(16384, (float)BinaryPrimitives.ReadHalfLittleEndian(encoded.Parts[1].Bytes));
        Assert.Equal([0x40, 0x45, 0x80, 0x46], encoded.Parts[2].Bytes); // 3072 and 16384 as bfloat16
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void KeepPrunedWeightsZero(double sparsity)
    {
        float[] weights = RandomWeights.Gaussian(64 * 512);
        float limit = weights.Select(MathF.Abs).Order().ElementAt((int)(sparsity * weights.Length));
        weights = Array.ConvertAll(weights, w => MathF.Abs(w) < limit ? 0 : w);
        float[] decoded = Encoders.Of("kmeans").Decoded(weights, 64, 512);
        Assert.All(weights.Zip(decoded), pair => Assert.Equal(pair.First == 0, pair.Second == 0));
    }

    [Fact]
    public void AreNotSpentOnAnAccidentalZero()
    {
        float[] weights = RandomWeights.Gaussian(1000);
        weights[3] = 0;
        Assert.DoesNotContain(0f, Encoders.Of("kmeans", ("bits", 1)).Decoded(weights, 1, 1000));
    }

    [Fact]
    public void OfAnOutlierAreItsOwn()
    {
        float[] weights = RandomWeights.Gaussian(512);
        weights[5] = 1e9f;
        float[] decoded = Encoders.Of("kmeans").Decoded(weights, 1, 512);
        Assert.Equal(1e9f, decoded[5], 1e9f / 256);
        weights[5] = decoded[5] = 0;
        Assert.InRange(Encoders.RelativeError(weights, decoded), 0, 0.012);
    }

    [Fact]
    public void OfRowsFollowTheirMagnitude()
    {
        float[] weights = RandomWeights.Gaussian(6 * 300);
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] *= MathF.ScaleB(1, 9 * (i / 600));
        }

        // Values of pairs of rows are those that the pair has by itself, times its power of two.
        float[] decoded = Encoders.Of("kmeans", ("shareRows", 2)).Decoded(weights, 6, 300);
        for (int pair = 0; pair < 3; pair++)
        {
            float[] alone = Encoders.Of("kmeans").Decoded(weights[(600 * pair)..(600 * (pair + 1))], 2, 300);
            Assert.Equal(alone, decoded[(600 * pair)..(600 * (pair + 1))]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void ProductsOfManyVectorsAreThoseOfTheDecodedMatrix(int shareRows)
    {
        const int Rows = 37, Columns = 172, Batch = 9;
        var tensor = Encoders.Of("kmeans", ("shareRows", shareRows)).Packed(RandomWeights.Gaussian(Rows * Columns), Rows, Columns);
        float[] decoded = new float[Rows * Columns], x = RandomWeights.Gaussian(Batch * Columns, 5), y = new float[Batch * Rows];
        tensor.Dequantize(decoded);
        tensor.Multiply(x, y, Batch);
        for (int i = 0; i < y.Length; i++)
        {
            int batch = i / Rows, row = i % Rows;
            var (w, v) = (decoded[(row * Columns)..((row + 1) * Columns)], x[(batch * Columns)..((batch + 1) * Columns)]);
            double sum = w.Zip(v, (a, b) => (double)a * b).Sum();
            Assert.Equal(sum, y[i], 2e-6 * Math.Sqrt(w.Sum(a => (double)a * a) * v.Sum(b => (double)b * b)));
        }
    }

    // Errors of the first half of the inputs count a hundred times as much.
    [Theory]
    [InlineData("inputs", false)]
    [InlineData("inputs", true)]
    [InlineData("gradients", false)]
    public void AreNearerToWeightsThatCountMore(string weighting, bool transposed)
    {
        const int Order = 64;
        float[] weights = RandomWeights.Laplace(Order * Order);
        bool Counts(int i) => (transposed ? i / Order : i % Order) < Order / 2;
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] += Counts(i) ? 3 : 0;
        }

        double[] moments = new double[Order * Order];
        for (int i = 0; i < Order; i++)
        {
            moments[(i * Order) + i] = i < Order / 2 ? 100 : 1;
        }

        var statistics = new LayerStatistics
        {
            Tokens = 10,
            Transposed = transposed,
            InputSecondMoments = weighting == "inputs" ? moments : null,
            SquaredGradients = weighting == "gradients" ? [.. weights.Select((_, i) => Counts(i) ? 100.0 : 1)] : null,
        };
        double plain = Error("none"), weighted = Error(weighting);
        Assert.True(weighted < 0.8 * plain, $"{weighted} ≥ 0.8 · {plain}");

        double Error(string by)
        {
            var encoded = Encoders.Of("kmeans", ("bits", 3), ("weighting", by)).Encode(WeightMatrix.FromArray(weights, Order, Order), statistics, default);
            float[] decoded = new float[weights.Length];
            DecodedTensor.Open(encoded, DType.F32, [Order, Order]).Dequantize(decoded);
            return weights.Select((w, i) => (Counts(i) ? 100 : 1) * Math.Pow(w - decoded[i], 2)).Sum();
        }
    }
}

public class DamagedSharedValues
{
    private static readonly EncodedTensor Sound = Encoders.Of("kmeans", ("bits", 5), ("shareRows", 2)).Encoded(RandomWeights.Gaussian(5 * 40), 5, 40);

    [Theory]
    [InlineData("bits", 0)]
    [InlineData("bits", 9)]
    [InlineData("bits", 4)]
    [InlineData("shareRows", 0)]
    [InlineData("shareRows", 1)]
    [InlineData("shareRows", int.MaxValue)]
    public void ParametersThatDoNotFitAreRefused(string parameter, int value)
    {
        var parameters = Sound.Parameters.DeepClone().AsObject();
        parameters[parameter] = value;
        Refused(Sound with { Parameters = parameters });
    }

    [Theory]
    [InlineData("codes")]
    [InlineData("scales")]
    [InlineData("values")]
    public void MissingOrShortArraysAreRefused(string name)
    {
        Refused(Sound with { Parts = [.. Sound.Parts.Where(part => part.Name != name)] });
        Refused(Sound with { Parts = [.. Sound.Parts.Select(part => part.Name == name ? part with { Bytes = part.Bytes[..2], Shape = [2 / part.DType.SizeInBytes()] } : part)] });
    }

    [Theory]
    [InlineData(0x7E00)]
    [InlineData(0xFC00)]
    public void ValuesThatAreNotFiniteAreRefused(int half)
    {
        byte[] bytes = [.. Sound.Parts[2].Bytes];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(^2), (ushort)half);
        Refused(Sound with { Parts = [Sound.Parts[0], Sound.Parts[1], Sound.Parts[2] with { Bytes = bytes }] });
    }

    private static void Refused(EncodedTensor damaged) => Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(damaged, DType.F32, [5, 40]));
}
