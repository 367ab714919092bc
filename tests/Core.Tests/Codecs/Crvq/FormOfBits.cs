using Compress.Core.Codecs.Crvq;
using Compress.Core.Diagnostics;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Codecs.Crvq;

/// <summary>What <c>bits</c> makes of a matrix.</summary>
public class FormOfBits
{
    // algorithms of the paper's size: 1.0704 with three extended codebooks for ten groups of 4096 columns; one bit and the codebook with none.
    [Theory]
    [InlineData(4, 10, 1.0704)]
    [InlineData(1, 0, 1.0059)]
    public void SizeIsThePapers(int codebooks, int critical, double bits) =>
        Assert.Equal(bits, new AdditiveForm(4096, 4096, 8, codebooks, 8, critical).Bytes * 8 / (4096.0 * 4096), 4);

    [Theory]
    [InlineData(0.9)]
    [InlineData(1.06)]
    [InlineData(1.5)]
    [InlineData(2.5)]
    public void TakesAllBitsButLessThanAnotherGroup(double bits)
    {
        var form = FormSearch.Best(bits, 4096, 4096, 8, Importance(4096, 1));
        double taken = form.Bytes * 8 / (4096.0 * 4096);
        Assert.True(taken <= bits);
        // A codebook is 0.002 bits, a group with seven more codes and its columns as many as 0.014.
        Assert.True(taken > bits - 0.016, $"{taken}");
    }

    // The least expected error of all forms that fit, by trying each.
    [Theory]
    [InlineData(1.1, 0.5)]
    [InlineData(1.6, 1)]
    [InlineData(2.2, 2)]
    [InlineData(3, 0.1)]
    public void IsTheBestOfAllForms(double bits, double skew)
    {
        const int Rows = 200, Columns = 240, GroupSize = 8;
        double[] importance = Importance(Columns, skew);
        double[] sorted = [.. importance.OrderDescending()];
        var forms =
            from codebookBits in Enumerable.Range(4, 5)
            from codebooks in Enumerable.Range(1, 8)
            from critical in Enumerable.Range(0, codebooks == 1 ? 1 : (Columns / GroupSize) + 1)
            let form = new AdditiveForm(Rows, Columns, GroupSize, codebooks, codebookBits, critical)
            where form.Bytes <= bits * Rows * Columns / 8
            select sorted.Select((value, column) => value
                * form.Entries.Take(column < critical * GroupSize ? codebooks : 1).Select((entries, book) => Math.Pow(entries, -0.2) * Math.Pow(1.035, book)).Aggregate(1.0, (left, part) => left * part)).Sum();
        var best = FormSearch.Best(bits, Rows, Columns, GroupSize, importance);
        var (inside, outside) = best.Remaining();
        double expected = sorted.Select((value, column) => value * (column < best.Critical * GroupSize ? inside : outside)).Sum();
        Assert.Equal(forms.Min(), expected, 1e-12 * expected);
        Assert.True(best.Bytes <= bits * Rows * Columns / 8);
    }

    [Fact]
    public void FewImportantChannelsGetManyCodebooks()
    {
        var few = FormSearch.Best(1.08, 4096, 4096, 8, [.. Enumerable.Range(0, 4096).Select(column => column % 128 == 0 ? 100.0 : 1)]);
        var flat = FormSearch.Best(2.1, 4096, 4096, 8, [.. Enumerable.Repeat(1.0, 4096)]);
        Assert.InRange(few.Critical, 4, 5);
        Assert.InRange(few.Entries.Count, 4, 8);
        Assert.Equal(2, flat.Entries.Count);
        Assert.InRange(flat.Critical, 500, 512);
    }

    // aqlm: three of 32 vectors have 15 bits for 8 weights, two of 128 only 14; of equal ones the larger codebooks.
    [Theory]
    [InlineData(1.01, 1, 256)]
    [InlineData(1.9, 3, 32)]
    [InlineData(0.6, 1, 16)]
    [InlineData(3.1, 3, 256)]
    public void WithoutCriticalChannelsTheMostCodesThatFitAreTaken(double bits, int codebooks, int entries)
    {
        var form = FormSearch.Best(bits, 4096, 4096, 8, null);
        Assert.Equal((codebooks, entries), (form.Entries.Count, form.Entries[0]));
    }

    [Theory]
    [InlineData("crvq", 128, 160, 1.7)]
    [InlineData("aqlm", 128, 160, 1.7)]
    [InlineData("crvq", 60, 61, 3)]
    public void EncodedMatrixTakesNoMore(string method, int rows, int columns, double bits)
    {
        float[] weights = RandomWeights.Gaussian(rows * columns);
        var encoder = Encoders.Of(method, ("bits", bits));
        var encoded = encoder.Encoded(weights, rows, columns);
        var packed = Core.Codecs.DecodedTensor.Open(encoded, Runtime.Safetensors.DType.F32, [rows, columns]);
        Assert.InRange(packed.BitsPerWeight, bits - 0.4, bits);
        Assert.Empty(encoded.Warnings);
        Assert.InRange(encoder.RelativeError(weights, rows, columns), 0, 0.5);
    }

    [Theory]
    [InlineData("crvq")]
    [InlineData("aqlm")]
    public void TooFewBitsGiveTheSmallestFormAndAWarning(string method)
    {
        // 64 groups: 16 vectors, whatever is asked; four bits for each group.
        var encoded = Encoders.Of(method, ("bits", 1.0)).Encoded(RandomWeights.Gaussian(16 * 32), 16, 32);
        Assert.Equal(16 * 2 + (2 * 8 * 16) + (2 * 16), encoded.Parts.Sum(part => part.Bytes.Length));
        var warning = Assert.Single(encoded.Warnings);
        Assert.Equal(Codes.BitsNotReached, warning.Code);
        Assert.StartsWith("1 bits per weight are asked for, and the least that the method has for 16 × 32 weights is 5.00", warning.Text, StringComparison.Ordinal);
    }

    private static double[] Importance(int columns, double skew) => [.. RandomWeights.Gaussian(columns, 3).Select(value => Math.Exp(skew * value))];
}
