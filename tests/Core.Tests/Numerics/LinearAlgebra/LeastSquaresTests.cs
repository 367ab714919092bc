using Compress.Core.Numerics.LinearAlgebra;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

public class LeastSquaresTests
{
    // Longley's data (1967) with NIST's certified coefficients: https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml
    [Fact]
    public void LongleysRegression()
    {
        double[] x =
        [
            83.0, 234289, 2356, 1590, 107608, 1947, 88.5, 259426, 2325, 1456, 108632, 1948, 88.2, 258054, 3682, 1616, 109773, 1949,
            89.5, 284599, 3351, 1650, 110929, 1950, 96.2, 328975, 2099, 3099, 112075, 1951, 98.1, 346999, 1932, 3594, 113270, 1952,
            99.0, 365385, 1870, 3547, 115094, 1953, 100.0, 363112, 3578, 3350, 116219, 1954, 101.2, 397469, 2904, 3048, 117388, 1955,
            104.6, 419180, 2822, 2857, 118734, 1956, 108.4, 442769, 2936, 2798, 120445, 1957, 110.8, 444546, 4681, 2637, 121950, 1958,
            112.6, 482704, 3813, 2552, 123366, 1959, 114.2, 502601, 3931, 2514, 125368, 1960, 115.7, 518173, 4806, 2572, 127852, 1961,
            116.9, 554894, 4007, 2827, 130081, 1962,
        ];
        double[] y = [60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761, 66019, 67857, 68169, 66513, 68655, 69564, 69331, 70551];
        double[] a = Matrices.Make(16, 7, (i, j) => j == 0 ? 1 : x[(i * 6) + j - 1]);
        double[] certified =
        [
            -3482258.63459582, 15.0618722713733, -0.358191792925910E-01, -2.02022980381683, -1.03322686717359, -0.511041056535807E-01, 1829.15146461355,
        ];
        double[] solution = LeastSquares.Solve(a, 16, 7, y, 1)!;
        for (int i = 0; i < 7; i++)
        {
            Assert.Equal(1, solution[i] / certified[i], 1e-8);
        }
    }

    // The residual of a least squares solution is orthogonal to every column.
    [Theory]
    [InlineData(40, 7, 3)]
    [InlineData(9, 9, 2)]
    [InlineData(1, 1, 1)]
    [InlineData(4, 9, 2)]
    public void ResidualIsOrthogonal(int rows, int columns, int count)
    {
        double[] a = Gaussian(rows * columns, 1), b = Gaussian(rows * count, 2), x = LeastSquares.Solve(a, rows, columns, b, count)!;
        AssertOrthogonal(a, b, x, rows, columns, count);
    }

    [Fact]
    public void ColumnsThatDependOnOthersAreLeftOut()
    {
        // the third is the sum of the first two, the fourth zero
        double[] two = Gaussian(12 * 2, 1), b = Gaussian(12, 2);
        double[] a = Matrices.Make(12, 4, (i, j) => j switch { 2 => two[i * 2] + two[(i * 2) + 1], 3 => 0, _ => two[(i * 2) + j] });
        double[] x = LeastSquares.Solve(a, 12, 4, b, 1)!;
        AssertOrthogonal(a, b, x, 12, 4, 1);
        Assert.Equal(2, x.Count(value => value == 0));
        Assert.Equal(0, x[3]);
    }

    [Fact]
    public void RankOneHasOneCoefficient()
    {
        double[] x = LeastSquares.Solve(Matrices.Make(5, 3, (i, j) => (i + 1) * (j + 1)), 5, 3, [3, 6, 9, 12, 15], 1)!;
        Matrices.AssertClose([0, 0, 1], x, 1e-15);
    }

    [Fact]
    public void ZeroMatrixHasTheZeroSolution() => Assert.Equal([0, 0], LeastSquares.Solve(new double[6], 3, 2, [1, 2, 3], 1)!);

    [Theory]
    [InlineData(1e300)]
    [InlineData(1e-300)]
    public void MagnitudeDoesNotMatter(double unit)
    {
        double[] a = Gaussian(20 * 4, 1), b = Gaussian(20, 2), x = LeastSquares.Solve(a, 20, 4, b, 1)!;
        double[] scaled = LeastSquares.Solve(Array.ConvertAll(a, value => value * unit), 20, 4, Array.ConvertAll(b, value => value * unit), 1)!;
        Matrices.AssertClose(x, scaled, 1e-13);
    }

    [Fact]
    public void ValueThatIsNotFiniteGivesNothing()
    {
        Assert.Null(LeastSquares.Solve([1, double.NaN], 2, 1, [1, 1], 1));
        Assert.Null(LeastSquares.Solve([1, 1], 2, 1, [1, double.PositiveInfinity], 1));
    }

    [Fact]
    public void NoEquationsGiveZeros() => Assert.Equal([0, 0, 0], LeastSquares.Solve([], 0, 3, [], 1)!);

    private static double[] Gaussian(int count, ulong seed) => [.. RandomWeights.Gaussian(count, seed).Select(value => (double)value)];

    private static void AssertOrthogonal(double[] a, double[] b, double[] x, int rows, int columns, int count)
    {
        double[] residual = [.. b.Zip(Matrices.Product(a, x, rows, columns, count), (right, left) => right - left)];
        double[] products = Matrices.Product(Matrices.Transpose(a, rows, columns), residual, columns, rows, count);
        Matrices.AssertClose(new double[columns * count], products, 1e-12);
    }
}
