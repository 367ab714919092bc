using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

public class SymmetricEigenTests
{
    // The second difference: 2 − 2 cos(k π / (n + 1)) with vectors sin(i k π / (n + 1)).
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(70)]
    public void SecondDifferenceHasItsClosedForm(int n)
    {
        double[] matrix = Matrices.Make(n, n, (i, j) => Math.Abs(i - j) switch { 0 => 2, 1 => -1, _ => 0 });
        var eigen = SymmetricEigen.Of(matrix, n)!;
        for (int i = 0; i < n; i++)
        {
            double angle = (n - i) * Math.PI / (n + 1);
            Assert.Equal(2 - (2 * Math.Cos(angle)), eigen.Values[i], 1e-13);
            double sign = Math.Sign(eigen.Vectors[i * n]);
            for (int j = 0; j < n; j++)
            {
                Assert.Equal(Math.Sqrt(2.0 / (n + 1)) * Math.Sin((j + 1) * angle), sign * eigen.Vectors[(i * n) + j], 1e-12);
            }
        }
    }

    // Rosser's matrix (1951), made to be hard: ±√1040450, 1020 twice, 510 ± 100 √26, 1000 and 0.
    [Fact]
    public void RossersMatrix()
    {
        double[] matrix =
        [
            611, 196, -192, 407, -8, -52, -49, 29,
            196, 899, 113, -192, -71, -43, -8, -44,
            -192, 113, 899, 196, 61, 49, 8, 52,
            407, -192, 196, 611, 8, 44, 59, -23,
            -8, -71, 61, 8, 411, -599, 208, 208,
            -52, -43, 49, 44, -599, 411, 208, 208,
            -49, -8, 8, 59, 208, 208, 99, -911,
            29, -44, 52, -23, 208, 208, -911, 99,
        ];
        double root = 100 * Math.Sqrt(26);
        Matrices.AssertClose([10 * Math.Sqrt(10405), 1020, 510 + root, 1000, 1000, 510 - root, 0, -10 * Math.Sqrt(10405)], SymmetricEigen.Of(matrix, 8)!.Values, 1e-11);
        AssertDecomposed(matrix, 8, 1e-11);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(33)]
    [InlineData(130)]
    public void VectorsDecomposeTheMatrix(int n) => AssertDecomposed(Matrices.Sample(n, n / 2 + 1), n, 1e-12);

    [Fact]
    public void RepeatedEigenvaluesHaveOrthonormalVectors()
    {
        AssertDecomposed(Matrices.Identity(20), 20, 1e-14);
        AssertDecomposed(Matrices.Make(20, 20, (i, j) => 1), 20, 1e-13);
        AssertDecomposed(Matrices.Make(21, 21, (i, j) => i == j ? i % 3 : 0), 21, 1e-14);
    }

    [Fact]
    public void ZeroMatrixHasZeros()
    {
        var eigen = SymmetricEigen.Of(new double[16], 4)!;
        Assert.Equal(new double[4], eigen.Values);
        Assert.Equal(Matrices.Identity(4), eigen.Vectors);
    }

    [Fact]
    public void RankOneHasOneEigenvalue()
    {
        var eigen = SymmetricEigen.Of(Matrices.Make(30, 30, (i, j) => (i + 1.0) * (j + 1)), 30)!;
        Assert.Equal(30 * 31 * 61 / 6, eigen.Values[0], 1e-9);
        Assert.All(eigen.Values[1..], value => Assert.Equal(0, value, 1e-10));
    }

    [Theory]
    [InlineData(1e300)]
    [InlineData(1e-300)]
    public void MagnitudeDoesNotMatter(double unit)
    {
        double[] matrix = Matrices.Sample(15, 20);
        var (eigen, scaled) = (SymmetricEigen.Of(matrix, 15)!, SymmetricEigen.Of(Array.ConvertAll(matrix, value => value * unit), 15)!);
        Matrices.AssertClose(eigen.Values, Array.ConvertAll(scaled.Values, value => value / unit), 1e-13);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void ValueThatIsNotFiniteGivesNothing(double value) => Assert.Null(SymmetricEigen.Of([1, value, value, 1], 2));

    [Fact]
    public void EmptyMatrixHasNoEigenvalues() => Assert.Empty(SymmetricEigen.Of([], 0)!.Values);

    private static void AssertDecomposed(double[] matrix, int n, double tolerance)
    {
        var eigen = SymmetricEigen.Of(matrix, n)!;
        double[] v = eigen.Vectors, vt = Matrices.Transpose(v, n, n);
        Assert.Equal(eigen.Values.OrderDescending(), eigen.Values);
        Matrices.AssertClose(Matrices.Identity(n), Matrices.Product(v, vt, n, n, n), 1e-13);
        double[] scaled = Matrices.Make(n, n, (i, j) => vt[(i * n) + j] * eigen.Values[j]);
        Matrices.AssertClose(matrix, Matrices.Product(scaled, v, n, n, n), tolerance);
        for (int i = 0; i < n; i++)
        {
            Assert.True(v[(i * n)..((i + 1) * n)].MaxBy(Math.Abs) > 0);
        }
    }
}
