using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

public class CholeskyTests
{
    // L of ρ^|i − j| in closed form: ρ^i in the first column, √(1 − ρ²) ρ^(i − j) in the others.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(300)]
    public void AutoregressiveMatrixHasItsClosedForm(int n)
    {
        double[] matrix = Matrices.Autoregressive(n, 0.9);
        Assert.True(Cholesky.TryFactor(matrix, n));
        double[] expected = Matrices.Make(n, n, (i, j) => i < j ? 0 : (j == 0 ? 1 : Math.Sqrt(1 - 0.81)) * Math.Pow(0.9, i - j));
        Matrices.AssertClose(expected, matrix, 1e-13);
    }

    [Theory]
    [InlineData(50)]
    [InlineData(190)]
    public void SquareOfTheFactorIsTheMatrix(int n)
    {
        double[] matrix = Matrices.Sample(n, 2 * n), factor = [.. matrix];
        Assert.True(Cholesky.TryFactor(factor, n));
        Matrices.AssertClose(matrix, Matrices.Product(factor, Matrices.Transpose(factor, n, n), n, n, n), 1e-12);
    }

    // Hilbert's matrix of order 5: the determinant is 1 / 266716800000 (OEIS A005249).
    [Fact]
    public void DeterminantOfHilbertsMatrix()
    {
        double[] matrix = Matrices.Make(5, 5, (i, j) => 1.0 / (i + j + 1));
        Assert.True(Cholesky.TryFactor(matrix, 5));
        double root = Enumerable.Range(0, 5).Aggregate(1.0, (product, i) => product * matrix[(i * 5) + i]);
        Assert.Equal(1, root * root * 266716800000, 1e-9);
    }

    [Fact]
    public void UpperTriangleIsNotRead()
    {
        double[] matrix = Matrices.Sample(40, 80), spoilt = Matrices.Make(40, 40, (i, j) => i < j ? double.NaN : matrix[(i * 40) + j]);
        Assert.True(Cholesky.TryFactor(matrix, 40));
        Assert.True(Cholesky.TryFactor(spoilt, 40));
        Assert.Equal(matrix, spoilt);
    }

    public static TheoryData<string, double[], int> Unfit => new()
    {
        { "zero", new double[9], 3 },
        { "zero alone", [0], 1 },
        { "negative alone", [-1], 1 },
        { "indefinite", [1, 2, 2, 1], 2 },
        { "rank one", Matrices.Make(40, 40, (i, j) => (i + 1.0) * (j + 1)), 40 },
        { "rank one within rounding", [1, 1, 1, Math.BitIncrement(1)], 2 },
        { "rank below its order", Matrices.Sample(70, 30), 70 },
        { "NaN on the diagonal", [1, 0, 0, double.NaN], 2 },
        { "NaN beside it", [1, double.NaN, double.NaN, 1], 2 },
        { "infinity", [double.PositiveInfinity], 1 },
        { "infinity beside it", [1, double.PositiveInfinity, double.PositiveInfinity, 1], 2 },
        { "a dead input", [1, 0, 0, 0], 2 },
    };

    [Theory]
    [MemberData(nameof(Unfit))]
    public void MatrixThatIsNotPositiveDefiniteHasNoFactor(string what, double[] matrix, int n) => Assert.False(Cholesky.TryFactor(matrix, n), what);

    [Fact]
    public void EmptyMatrixIsItsOwnFactor() => Assert.True(Cholesky.TryFactor([], 0));
}
