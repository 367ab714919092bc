using Compress.Core.Codecs.Crvq;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Codecs.Crvq;

/// <summary>The steps of the encoder by themselves, against the slow way.</summary>
public class AdditiveSteps
{
    private const int Rows = 70, Groups = 6, GroupSize = 3, Columns = Groups * GroupSize;

    // The beam is wide enough for all pairs of codes here.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SearchFindsTheBestCodesOfEveryGroup(bool correlated)
    {
        var (code, metric, h) = Sample([4, 4], 4, correlated);
        for (int round = 0; round < 30; round++)
        {
            new CodeSearch(code, metric).Run(CancellationToken.None);
        }

        // It has come to rest: no other codes of one group are better.
        for (int row = 0; row < Rows; row += 9)
        {
            double least = Loss(code, row, h);
            for (int group = 0; group < Groups; group++)
            {
                int books = code.BooksOf(group);
                byte first = code.Codes[0][(row * Groups) + group];
                byte second = books == 1 ? (byte)0 : code.Codes[1][(row * 4) + group];
                for (int pair = 0; pair < (books == 1 ? 4 : 16); pair++)
                {
                    code.Codes[0][(row * Groups) + group] = (byte)(pair % 4);
                    if (books == 2)
                    {
                        code.Codes[1][(row * 4) + group] = (byte)(pair / 4);
                    }

                    Assert.True(Loss(code, row, h) >= least * (1 - 1e-5), $"row {row}, group {group}: {pair}");
                }

                code.Codes[0][(row * Groups) + group] = first;
                if (books == 2)
                {
                    code.Codes[1][(row * 4) + group] = second;
                }
            }
        }
    }

    [Fact]
    public void SearchKeepsErrorsUpToDate()
    {
        var (code, metric, _) = Sample([8, 8], 4, true);
        new CodeSearch(code, metric).Run(CancellationToken.None);
        float[] kept = (float[])code.Errors.Clone();
        code.UpdateErrors(CancellationToken.None);
        Assert.All(kept.Zip(code.Errors), pair => Assert.Equal(pair.Second, pair.First, 1e-4));
    }

    // At the least-squares solution no small change of a vector, or of a scale, helps.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FitsLeaveNothingToGain(bool correlated)
    {
        var (code, metric, h) = Sample([4, 4], 4, correlated);
        var fit = new CodebookFit(code, metric);
        for (int round = 0; round < 5; round++)
        {
            fit.FitBooks(CancellationToken.None);
        }

        double least = Total(code, h);
        Assert.Equal(least, fit.Error(CancellationToken.None), 1e-4 * least);
        foreach (float[] book in code.Books)
        {
            for (int i = 0; i < book.Length; i++)
            {
                foreach (float change in new[] { 0.05f, -0.05f })
                {
                    book[i] += change;
                    Assert.True(Total(code, h) > least * (1 - 1e-6));
                    book[i] -= change;
                }
            }
        }

        fit.FitScales(CancellationToken.None);
        double fitted = Total(code, h);
        Assert.True(fitted < least);
        code.Scales[5] *= 1.02f;
        Assert.True(Total(code, h) > fitted * (1 - 1e-6));
    }

    [Fact]
    public void OneCodebookWithoutMomentsIsFittedByMeans()
    {
        var (code, metric, _) = Sample([4], 0, false);
        new CodebookFit(code, metric).FitBooks(CancellationToken.None);
        for (int entry = 0; entry < 4; entry++)
        {
            var members = Enumerable.Range(0, Rows * Groups).Where(i => code.Codes[0][i] == entry).ToList();
            for (int k = 0; k < GroupSize; k++)
            {
                double weighted = members.Sum(i => code.Weights[i / Groups] * code.Scales[i / Groups] * code.Values[(i * GroupSize) + k]);
                double weight = members.Sum(i => code.Weights[i / Groups] * code.Scales[i / Groups] * code.Scales[i / Groups]);
                Assert.Equal(weighted / weight, code.Books[0][(entry * GroupSize) + k], 1e-5);
            }
        }
    }

    [Fact]
    public void KMeansFindsClustersThatLieApart()
    {
        float[] noise = RandomWeights.Gaussian(400 * 2), values = [.. noise.Select((value, i) => (0.01f * value) + (i / 2 % 5 * (i % 2 == 0 ? 3 : -2)))];
        float[] centroids = KMeans.Fit(values, 2, [.. Enumerable.Range(0, 400)], 1, 2, 5, CancellationToken.None);
        var found = centroids.Chunk(2).OrderBy(pair => pair[0]).ToList();
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(3 * i, found[i][0], 0.01);
            Assert.Equal(-2 * i, found[i][1], 0.01);
        }
    }

    [Theory]
    [InlineData(8, 100_000, 256)]
    [InlineData(8, 400, 100)]
    [InlineData(8, 40, 16)]
    [InlineData(8, 7, 7)]
    [InlineData(4, 40, 16)]
    [InlineData(8, 0, 1)]
    public void FewVectorsHaveSmallerCodebooks(int bits, long groups, int entries) => Assert.Equal(entries, AdditiveForm.EntriesOf(bits, groups));

    [Theory]
    [InlineData(2, 4096, 8, 10)]
    [InlineData(2, 64, 8, 1)]
    [InlineData(0, 4096, 8, 0)]
    [InlineData(100, 61, 8, 7)]
    [InlineData(50, 7, 8, 0)]
    public void CriticalGroupsAreTheNearestNumberAndOneAtLeast(int percent, int columns, int groupSize, int groups) =>
        Assert.Equal(groups, AdditiveSettings.CriticalGroups(percent, columns, groupSize));

    private static (AdditiveCode Code, InputMetric Metric, double[] H) Sample(int[] entries, int critical, bool correlated)
    {
        double[] weights = [.. Enumerable.Range(0, Rows).Select(row => row == 3 ? 0 : 0.5 + (row % 7))];
        var code = new AdditiveCode(RandomWeights.Gaussian(Rows * Columns), weights, Groups, critical, GroupSize, entries);
        for (int book = 0; book < entries.Length; book++)
        {
            RandomWeights.Gaussian(code.Books[book].Length, (ulong)book + 10).CopyTo(code.Books[book], 0);
            for (int i = 0; i < code.Codes[book].Length; i++)
            {
                code.Codes[book][i] = (byte)(i * (7 + book) % entries[book]);
            }
        }

        for (int row = 0; row < Rows; row++)
        {
            code.Scales[row] = 0.8f + (row % 5 * 0.1f);
        }

        code.UpdateErrors(CancellationToken.None);
        double[] h = correlated ? Matrices.Autoregressive(Columns, 0.8) : Matrices.Identity(Columns);
        var metric = correlated ? InputMetric.Of(h, 0.01, [.. Enumerable.Range(0, Columns)], GroupSize) : InputMetric.Identity(Groups, GroupSize);
        for (int i = 0; correlated && i < Columns; i++)
        {
            h[(i * Columns) + i] += 0.01; // the damping
        }

        return (code, metric, h);
    }

    private static double Total(AdditiveCode code, double[] h) => Enumerable.Range(0, Rows).Sum(row => code.Weights[row] * Loss(code, row, h));

    private static double Loss(AdditiveCode code, int row, double[] h)
    {
        float[] sum = new float[Columns];
        code.Decode(code.Books, row, sum);
        double[] error = [.. sum.Select((value, j) => code.Values[(row * Columns) + j] - ((double)code.Scales[row] * value))];
        return error.Zip(Matrices.Product(error, h, 1, Columns, Columns), (a, b) => a * b).Sum();
    }
}
