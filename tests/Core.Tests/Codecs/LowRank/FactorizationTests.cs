using Compress.Core.Codecs.LowRank;

namespace Compress.Core.Tests.Codecs.LowRank;

/// <summary>Factorizations of matrices of small integers. Golden numbers are numpy's: <c>linalg.svd(A)</c>, and <c>linalg.svd(A @ linalg.cholesky(H))</c>.</summary>
public class NearestMatrixOfARank
{
    [Theory]
    [InlineData(12, 20, 1, 1658.4294485545786)]
    [InlineData(12, 20, 4, 626.5581458059056)]
    [InlineData(12, 20, 9, 91.6372940772734)]
    [InlineData(20, 12, 1, 1623.4475732741373)]
    [InlineData(20, 12, 4, 597.7377046805492)]
    [InlineData(20, 12, 9, 95.57980845035708)]
    public void HasTheErrorOfTheSingularValuesAfterIt(int rows, int columns, int rank, double error)
    {
        var matrix = Integers(rows, columns);
        var factorization = new Factorization(matrix, null, default);
        var (left, right) = factorization.Factors(rank);

        Assert.Equal(error, factorization.Energies[rank..].Sum(), error * 1e-12);
        Assert.Equal(error, Error(matrix, left.Times(right), Identity(columns)), error * 1e-12);
    }

    [Theory]
    [InlineData(12, 20, 1, 1545.880746666179)]
    [InlineData(12, 20, 4, 419.4596815518904)]
    [InlineData(12, 20, 9, 44.14261766276391)]
    [InlineData(20, 12, 1, 1417.8485531222375)]
    [InlineData(20, 12, 4, 435.6768651525909)]
    [InlineData(20, 12, 9, 52.50413801600905)]
    public void HasTheErrorOfOutputsOfTheWhitenedSingularValuesAfterIt(int rows, int columns, int rank, double error)
    {
        var matrix = Integers(rows, columns);
        var moments = Correlated(columns);
        var factorization = new Factorization(matrix, moments, default);
        var (left, right) = factorization.Factors(rank);

        Assert.Equal(error, factorization.Energies[rank..].Sum(), error * 1e-12);
        Assert.Equal(error, Error(matrix, left.Times(right), moments), error * 1e-12);
    }

    [Theory]
    [InlineData(12, 20)]
    [InlineData(20, 12)]
    public void IsFoundForInputsThatAreDependentOrAlwaysZero(int rows, int columns)
    {
        var matrix = Integers(rows, columns);
        var inputs = Integers(columns, 5);
        inputs.Values.AsSpan(0, 10).Clear(); // two are always zero, and the others have five dimensions
        var moments = inputs.Times(inputs, transposed: true);
        var factorization = new Factorization(matrix, moments, default);

        for (int rank = 1; rank <= 5; rank++)
        {
            var (left, right) = factorization.Factors(rank);
            Assert.Equal(factorization.Energies[rank..].Sum(), Error(matrix, left.Times(right), moments), factorization.Energies[0] * 1e-12);
        }
    }

    [Fact]
    public void OfFullRankIsTheMatrix()
    {
        foreach (var (rows, columns) in new[] { (12, 20), (20, 12), (1, 7), (7, 1), (1, 1) })
        {
            foreach (var moments in new[] { null, Correlated(columns) })
            {
                var matrix = Integers(rows, columns);
                var (left, right) = new Factorization(matrix, moments, default).Factors(Math.Min(rows, columns));
                Assert.Equal(0, Error(matrix, left.Times(right), Identity(columns)), 1e-20 * rows * columns);
            }
        }
    }

    // Of Hilbert's matrix, the last singular value is 10⁻¹⁰ of the first.
    [Fact]
    public void HasSquaredSingularValuesToTheLastBitsOfTheGreatest()
    {
        double[] golden =
            [1.6959389969219496, 0.2981252113169307, 0.026212843578119035, 0.0014676881177418427, 5.436943369749979e-05, 1.2943320918688685e-06, 1.798873745949071e-08, 1.1115389812040764e-10];
        double[] hilbert = [.. from i in Enumerable.Range(0, 8) from j in Enumerable.Range(0, 8) select 1.0 / (i + j + 1)];
        double[] energies = new Factorization(new(hilbert, 8, 8), null, default).Energies;

        Assert.All(golden.Zip(energies), pair => Assert.Equal(pair.First * pair.First, pair.Second, golden[0] * golden[0] * 1e-15));
    }

    // The parts kept are 0.303, 0.540, 0.651, 0.737, …, by numpy.
    [Theory]
    [InlineData(0.3, 1)]
    [InlineData(0.303, 2)]
    [InlineData(0.65, 3)]
    [InlineData(0.7366, 5)]
    [InlineData(1e-9, 1)]
    public void IsTheLeastThatKeepsAPartOfTheEnergy(double part, int rank) =>
        Assert.Equal(rank, new Factorization(Integers(12, 20), null, default).RankOf(part));

    [Fact]
    public void OfNothingIsNothing()
    {
        var factorization = new Factorization(new(3, 5), null, default);
        var (left, right) = factorization.Factors(2);

        Assert.Equal(1, factorization.RankOf(1));
        Assert.All([.. left.Values, .. right.Values], value => Assert.Equal(0, value));
    }

    [Fact]
    public void HasFactorsOfEqualLengths()
    {
        var (left, right) = new Factorization(Integers(20, 12), Correlated(12), default).Factors(3);
        for (int k = 0; k < 3; k++)
        {
            double row = right.Values.AsSpan(k * 12, 12).ToArray().Sum(value => value * value);
            Assert.Equal(row, Enumerable.Range(0, 20).Sum(i => left.Values[(i * 3) + k] * left.Values[(i * 3) + k]), row * 1e-12);
        }
    }

    internal static Matrix Integers(int rows, int columns) =>
        new([.. from i in Enumerable.Range(0, rows) from j in Enumerable.Range(0, columns) select (double)((((i * 7) + (j * 13) + (i * j)) % 11) - 5)], rows, columns);

    internal static Matrix Correlated(int n) => new([.. from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, n) select Math.Pow(0.5, Math.Abs(i - j))], n, n);

    private static Matrix Identity(int n) => new([.. from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, n) select i == j ? 1.0 : 0], n, n);

    // tr dW H dWᵀ
    private static double Error(Matrix matrix, Matrix near, Matrix moments)
    {
        var difference = new Matrix([.. matrix.Values.Zip(near.Values, (a, b) => a - b)], matrix.Rows, matrix.Columns);
        return difference.Times(moments).Values.Zip(difference.Values, (a, b) => a * b).Sum();
    }
}
