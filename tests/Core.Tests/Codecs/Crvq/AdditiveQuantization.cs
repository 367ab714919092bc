using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.Numerics.LinearAlgebra;
using Compress.Runtime;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.Crvq;

public class AdditiveQuantization
{
    private static readonly (string, object) Outputs = ("objective", "outputs");

    // Plain k-means of vectors of 8 normal values has 0.3237 with 256 centroids, measured with another implementation; no code of 1 bit has less than 1/4.
    [Fact]
    public void OneCodebookIsNoWorseThanKMeans() =>
        Assert.InRange(Encoders.Of("aqlm", ("codebooks", 1)).RelativeError(RandomWeights.Gaussian(256 * 512), 256, 512), 0.25, 0.3237);

    // There too: 0.1059 with a second codebook for what the first leaves. No code of 2 bits has less than 1/16.
    [Fact]
    public void TwoCodebooksTogetherAreBetterThanOneAfterTheOther() =>
        Assert.InRange(Encoders.Of("aqlm").RelativeError(RandomWeights.Gaussian(128 * 512), 128, 512), 0.0625, 0.1);

    [Theory]
    [InlineData("aqlm", 300, 64, 8, 2, 8, 256, 256, 8)]
    [InlineData("aqlm", 300, 61, 8, 2, 8, 256, 256, 8)]
    [InlineData("aqlm", 10, 61, 8, 3, 6, 20, 20, 8)]
    [InlineData("aqlm", 1, 5, 8, 1, 8, 1, 1, 1)]
    [InlineData("crvq", 300, 640, 8, 4, 8, 256, 150, 2)]
    [InlineData("crvq", 300, 61, 8, 4, 8, 256, 75, 1)]
    [InlineData("crvq", 40, 61, 4, 2, 5, 32, 16, 1)]
    [InlineData("crvq", 40, 3, 4, 4, 8, 16, 0, 0)]
    public void SizeIsTheFormulas(string method, int rows, int columns, int groupSize, int codebooks, int bits, int entries, int extendedEntries, int critical)
    {
        int groups = (columns + groupSize - 1) / groupSize, extended = critical == 0 ? 0 : codebooks - 1;
        long expected = (long)rows * RowBytes(groups, Bits(entries)) + ((long)rows * extended * RowBytes(critical, Bits(extendedEntries)))
            + (2L * groupSize * (entries + (extended * extendedEntries))) + (2 * rows) + (method == "crvq" ? 2 * critical * groupSize : 0);
        var packed = Encoders.Of(method, ("groupSize", groupSize), ("codebooks", codebooks), ("codebookBits", bits)).Packed(RandomWeights.Gaussian(rows * columns), rows, columns);
        Assert.Equal(expected, packed.StoredBytes);

        static long RowBytes(int codes, int bits) => (codes / 32 * 4 * bits) + (((codes % 32 * bits) + 7) / 8);
        static int Bits(int entries) => Enumerable.Range(1, 8).First(bits => 1 << bits >= entries);
    }

    [Fact]
    public void FewDistinctVectorsAreExact()
    {
        float[] row = RandomWeights.Gaussian(32), weights = [.. Enumerable.Range(0, 64).SelectMany(_ => row)];
        Assert.InRange(Encoders.Of("aqlm", ("codebooks", 1)).RelativeError(weights, 64, 32), 0, 1e-6);
        Array.Fill(weights, 0.7f);
        foreach (string method in new[] { "aqlm", "crvq" })
        {
            Assert.InRange(Encoders.Of(method, Outputs).RelativeError(weights, 64, 32), 0, 1e-6);
        }
    }

    [Theory]
    [InlineData("aqlm")]
    [InlineData("crvq")]
    public void ErrorOfOutputsIsLessIfItIsTheObjective(string method)
    {
        const int Rows = 96, Columns = 160;
        double[] h = Matrices.Autoregressive(Columns, 0.9);
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        double plain = Loss(Decoded([("codebooks", 2)], null), weights, h, Rows), aware = Loss(Decoded([("codebooks", 2), Outputs], h), weights, h, Rows);
        Assert.InRange(aware / plain, 0.01, 0.6);

        float[] Decoded((string, object)[] settings, double[]? moments) => AdditiveQuantization.Decoded(method, settings, weights, Rows, Columns, moments);
    }

    [Fact]
    public void DeadInputsLeaveTheOthersMore()
    {
        const int Rows = 64, Columns = 64;
        double[] h = Matrices.Make(Columns, Columns, (i, j) => i == j && i % 2 == 0 ? 1 : 0);
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        double plain = Loss(Decoded("aqlm", [("codebooks", 1)], weights, Rows, Columns, null), weights, h, Rows);
        Assert.InRange(Loss(Decoded("aqlm", [("codebooks", 1), Outputs], weights, Rows, Columns, h), weights, h, Rows) / plain, 0, 0.7);
    }

    // 0.98 on the diagonal, ±1 beside it: one eigenvalue far above, all others -0.02.
    [Fact]
    public void SlightlyIndefiniteMomentsAreDamped()
    {
        const int Rows = 32, Columns = 40;
        double[] h = Matrices.Make(Columns, Columns, (i, j) => i == j ? 0.98 : 1 - ((i + j) % 2 * 2));
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        var encoded = Encode("aqlm", [Outputs], weights, Rows, Columns, h);
        Assert.Empty(encoded.Warnings);
        Assert.NotEqual(Decoded("aqlm", [], weights, Rows, Columns, null), Decoded(encoded, Rows, Columns));
    }

    [Theory]
    [InlineData("aqlm", double.NaN)]
    [InlineData("crvq", double.PositiveInfinity)]
    [InlineData("aqlm", 1e300)]
    [InlineData("crvq", 0)]
    [InlineData("aqlm", 0.1)] // 0.01 on the diagonal, 0.1 beside it: eigenvalues down to -0.09
    public void MomentsThatSayNothingCountAsNoneWithAWarning(string method, double value)
    {
        float[] weights = RandomWeights.Gaussian(20 * 24);
        double[] h = Matrices.Make(24, 24, (i, j) => double.IsFinite(value) && i != j ? value : value * value);
        var encoded = Encode(method, [Outputs, ("entropy", true)], weights, 20, 24, h);
        Assert.Equal(Decoded(method, [], weights, 20, 24, null), Decoded(encoded, 20, 24));
        Assert.Equal(Codes.StatisticsUnusable, Assert.Single(encoded.Warnings).Code);
    }

    // Stored as [in, out], a row belongs to an input.
    [Fact]
    public void RowsOfStrongInputsAreFittedBetter()
    {
        const int Rows = 64, Columns = 64;
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        double[] h = Matrices.Make(Rows, Rows, (i, j) => i != j ? 0 : i < 16 ? 100 : 0.01);
        float[] plain = Decoded("aqlm", [("codebookBits", 6)], weights, Rows, Columns, null);
        float[] aware = Decoded("aqlm", [("codebookBits", 6), Outputs], weights, Rows, Columns, h, transposed: true);
        Assert.InRange(Encoders.RelativeError(weights[..(16 * Columns)], aware[..(16 * Columns)]) / Encoders.RelativeError(weights[..(16 * Columns)], plain[..(16 * Columns)]), 0, 0.9);
    }

    [Fact]
    public void CriticalChannelsAreThoseOfStrongInputs()
    {
        const int Rows = 128, Columns = 160;
        int[] strong = [3, 17, 31, 62, 90, 91, 120, 159];
        double[] h = Matrices.Make(Columns, Columns, (i, j) => i != j ? 0 : strong.Contains(i) ? 50 : 1);
        float[] weights = RandomWeights.Gaussian(Rows * Columns);
        var encoded = Encode("crvq", [("critical", 5), Outputs], weights, Rows, Columns, h);
        byte[] stored = encoded.Parts.Single(part => part.Name == "critical").Bytes;
        Assert.Equal(strong, stored.Chunk(2).Select(pair => (int)BitConverter.ToUInt16(pair)).Order());

        float[] decoded = Decoded(encoded, Rows, Columns);
        double[] errors = [.. Enumerable.Range(0, Columns).Select(column => Enumerable.Range(0, Rows).Sum(row => Math.Pow(weights[(row * Columns) + column] - decoded[(row * Columns) + column], 2)))];
        Assert.True(strong.Max(column => errors[column]) < 0.3 * Enumerable.Range(0, Columns).Except(strong).Min(column => errors[column]));
    }

    [Fact]
    public void MoreCriticalChannelsAndCodebooksLessenTheError()
    {
        float[] weights = RandomWeights.Laplace(128 * 160);
        double[] errors = [.. new[] { (0, 4), (5, 2), (5, 4), (10, 4), (50, 4) }.Select(way =>
            Encoders.Of("crvq", ("critical", way.Item1), ("codebooks", way.Item2)).RelativeError(weights, 128, 160))];
        Assert.Equal(errors.OrderDescending(), errors);
        Assert.Equal(errors.Length, errors.Distinct().Count());
    }

    // Through tables and by unpacked rows, one vector and several.
    [Theory]
    [InlineData("aqlm", 8, 8, 2)]
    [InlineData("aqlm", 5, 4, 3)]
    [InlineData("crvq", 8, 7, 4)]
    [InlineData("crvq", 3, 4, 2)]
    public void ProductsAgreeWithTheDecodedMatrix(string method, int groupSize, int bits, int codebooks)
    {
        const int Rows = 301, Columns = 150, Batch = 20;
        var tensor = Encoders.Of(method, ("groupSize", groupSize), ("codebooks", codebooks), ("codebookBits", bits)).Packed(RandomWeights.Gaussian(Rows * Columns), Rows, Columns);
        float[] decoded = new float[Rows * Columns], x = RandomWeights.Gaussian(Columns * Batch, 5);
        tensor.Dequantize(decoded);
        double[] expected = Matrices.Product([.. x.Select(v => (double)v)], Matrices.Transpose([.. decoded.Select(v => (double)v)], Rows, Columns), Batch, Columns, Rows);
        foreach (int batch in new[] { 1, 3, Batch })
        {
            float[] y = new float[batch * Rows];
            tensor.Multiply(x.AsSpan(0, batch * Columns), y, batch);
            for (int i = 0; i < y.Length; i++)
            {
                var row = decoded.AsSpan(i % Rows * Columns, Columns);
                var vector = x.AsSpan(i / Rows * Columns, Columns);
                double bound = 2e-6 * System.Numerics.Tensors.TensorPrimitives.Norm<float>(row) * System.Numerics.Tensors.TensorPrimitives.Norm<float>(vector);
                Assert.Equal(expected[i], y[i], bound);
            }
        }

        float[] part = new float[5 * Columns];
        tensor.DequantizeRows(200, 5, part);
        Assert.Equal(decoded[(200 * Columns)..(205 * Columns)], part);
    }

    [Theory]
    [InlineData("groupSize", 33, "groupSize")]
    [InlineData("codebooks", 9, "codebooks")]
    [InlineData("entries", 257, "entries")]
    [InlineData("entries", 17, "codes")]
    [InlineData("criticalGroups", 6, "criticalGroups")]
    [InlineData("criticalGroups", 2, "critical")]
    [InlineData("extendedEntries", 3, "codebooks")]
    public void DamagedParametersAreRefused(string parameter, int value, string named)
    {
        var encoded = Encode("crvq", [], RandomWeights.Gaussian(8 * 40), 8, 40, null);
        encoded.Parameters[parameter] = value;
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(encoded, DType.F32, [8, 40])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(40, "of 40")]
    [InlineData(7, "twice")]
    public void DamagedOrderIsRefused(int column, string message)
    {
        var encoded = Encode("crvq", [], RandomWeights.Gaussian(8 * 40), 8, 40, null);
        byte[] critical = encoded.Parts.Single(part => part.Name == "critical").Bytes;
        (critical[0], critical[2], critical[1], critical[3]) = ((byte)column, 7, 0, 0);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(encoded, DType.F32, [8, 40])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CodebookThatIsNotFiniteIsRefused()
    {
        var encoded = Encode("aqlm", [], RandomWeights.Gaussian(8 * 40), 8, 40, null);
        BitConverter.TryWriteBytes(encoded.Parts.Single(part => part.Name == "codebooks").Bytes, Half.NaN);
        Assert.Contains("not finite", Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(encoded, DType.F32, [8, 40])).Message, StringComparison.Ordinal);
    }

    // Codes beyond a codebook's vectors stand for zeros.
    [Fact]
    public void CodesBeyondTheCodebookReadNothing()
    {
        var encoded = Encode("aqlm", [("codebooks", 1)], RandomWeights.Gaussian(20 * 16), 20, 16, null);
        Array.Fill(encoded.Parts.Single(part => part.Name == "codes").Bytes, (byte)0xFF);
        Assert.Equal(16, (int)encoded.Parameters["entries"]!);
        encoded.Parameters["entries"] = 15;
        var books = encoded.Parts.Single(part => part.Name == "codebooks");
        EncodedPart[] parts = [.. encoded.Parts.Where(part => part != books), books with { Shape = [15, 8], Bytes = books.Bytes[..(15 * 16)] }];
        Assert.All(Decoded(new("aqlm", encoded.Parameters, parts), 20, 16), value => Assert.Equal(0, value));
    }

    private static EncodedTensor Encode(string method, (string, object)[] settings, float[] weights, int rows, int columns, double[]? moments, bool transposed = false) =>
        Encoders.Of(method, settings).Encode(
            WeightMatrix.FromArray(weights, rows, columns),
            moments is null ? null : new LayerStatistics { Tokens = 100, InputSecondMoments = moments, Transposed = transposed }, CancellationToken.None);

    private static float[] Decoded(string method, (string, object)[] settings, float[] weights, int rows, int columns, double[]? moments, bool transposed = false) =>
        Decoded(Encode(method, settings, weights, rows, columns, moments, transposed), rows, columns);

    private static float[] Decoded(EncodedTensor encoded, int rows, int columns)
    {
        float[] decoded = new float[rows * columns];
        DecodedTensor.Open(encoded, DType.F32, [rows, columns]).Dequantize(decoded);
        return decoded;
    }

    private static double Loss(float[] decoded, float[] weights, double[] h, int rows)
    {
        double[] error = [.. weights.Zip(decoded, (w, r) => (double)w - r)];
        int columns = weights.Length / rows;
        return error.Zip(Matrices.Product(error, h, rows, columns, columns), (a, b) => a * b).Sum();
    }
}
