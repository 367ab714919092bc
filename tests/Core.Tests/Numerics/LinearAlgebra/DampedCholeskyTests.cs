using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

public class DampedCholeskyTests
{
    private static double[]? Upper(double[] h, int n, double damping, out double used) =>
        DampedCholesky.Upper(h, [.. Enumerable.Range(0, n)], damping, out used);

    [Theory]
    [InlineData(0)]
    [InlineData(0.01)]
    public void SquareOfTheFactorIsTheDampedMatrix(double damping)
    {
        const int N = 60;
        double[] h = Matrices.Sample(N, 200), factor = Upper(h, N, damping, out double used)!;
        double added = damping * Matrices.Trace(h, N) / N;
        Assert.Equal(damping, used);
        Assert.All(Enumerable.Range(0, N * N).Where(i => i / N > i % N), i => Assert.Equal(0, factor[i]));
        Matrices.AssertClose(
            Matrices.Make(N, N, (i, j) => h[(i * N) + j] + (i == j ? added : 0)),
            Matrices.Product(factor, Matrices.Transpose(factor, N, N), N, N, N), 1e-12);
    }

    // GPTQ computes the upper Cholesky factor C of H⁻¹ = Cᵀ C; here C R = 1.
    [Fact]
    public void InverseIsTheFactorOfGptq()
    {
        const int N = 12;
        double[] h = Matrices.Sample(N, 40), r = Upper(h, N, 0, out _)!;
        double[] inverse = new double[N * N]; // of R, column by column from below
        for (int j = 0; j < N; j++)
        {
            for (int i = j; i >= 0; i--)
            {
                double sum = i == j ? 1 : 0;
                for (int k = i + 1; k <= j; k++)
                {
                    sum -= r[(i * N) + k] * inverse[(k * N) + j];
                }

                inverse[(i * N) + j] = sum / r[(i * N) + i];
            }
        }

        double[] inverseOfH = Matrices.Product(Matrices.Transpose(inverse, N, N), inverse, N, N, N);
        Matrices.AssertClose(Matrices.Identity(N), Matrices.Product(inverseOfH, h, N, N, N), 1e-10);
    }

    [Fact]
    public void OrderIsThatOfRowsAndColumns()
    {
        int[] order = [3, 0, 4, 1, 2];
        double[] h = Matrices.Sample(5, 20), permuted = Matrices.Make(5, 5, (i, j) => h[(order[i] * 5) + order[j]]);
        Assert.Equal(Upper(permuted, 5, 0.01, out _), DampedCholesky.Upper(h, order, 0.01, out _));
    }

    // The least eigenvalue is −3 within rounding: damping has to exceed 3, the mean diagonal being 1.
    [Fact]
    public void DampingGrowsUntilThereIsAFactor()
    {
        double[] indefinite = [1, 4, 4, 1];
        Assert.NotNull(Upper(indefinite, 2, 0.01, out double used));
        Assert.Equal(10, used, 1e-12);
    }

    [Fact]
    public void RankDeficientMatrixNeedsSomeDamping()
    {
        double[] h = Matrices.Sample(70, 30);
        Assert.NotNull(Upper(h, 70, 0, out double used));
        Assert.InRange(used, 1e-7, 1e-3);
        Assert.NotNull(Upper(h, 70, 0.01, out used));
        Assert.Equal(0.01, used);
    }

    [Fact]
    public void ZeroMatrixGivesTheIdentity()
    {
        Assert.Equal(Matrices.Identity(5), Upper(new double[25], 5, 0.01, out _));
        Assert.Equal([1], Upper([0], 1, 0.01, out _)!);
    }

    // What a dead input adds to the factor of the others is nothing.
    [Fact]
    public void DeadInputsStandAlone()
    {
        const int N = 9;
        double[] live = Matrices.Sample(N - 2, 30);
        int[] kept = [0, 1, 3, 4, 5, 7, 8];
        double[] h = new double[N * N];
        for (int i = 0; i < kept.Length; i++)
        {
            for (int j = 0; j < kept.Length; j++)
            {
                h[(kept[i] * N) + kept[j]] = live[(i * kept.Length) + j];
            }
        }

        double[] factor = Upper(h, N, 0.01, out double used)!, expected = Upper(live, kept.Length, 0.01, out _)!;
        Assert.Equal(0.01, used);
        Assert.Equal(expected, from i in kept from j in kept select factor[(i * N) + j]);
        foreach (int dead in new[] { 2, 6 })
        {
            Assert.All(Enumerable.Range(0, N).Where(i => i != dead), i => Assert.Equal((0, 0), (factor[(i * N) + dead], factor[(dead * N) + i])));
            Assert.True(factor[(dead * N) + dead] > 0);
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void ValueThatIsNotFiniteGivesNoFactor(double value)
    {
        double[] h = Matrices.Identity(4);
        h[4] = value;
        Assert.Null(Upper(h, 4, 0.01, out _));
    }

    [Theory]
    [InlineData(1e300)]
    [InlineData(1e-300)]
    public void MagnitudeDoesNotMatter(double unit)
    {
        double[] h = Matrices.Sample(20, 30), factor = Upper(h, 20, 0.01, out _)!;
        double[] scaled = Upper(Array.ConvertAll(h, value => value * unit), 20, 0.01, out double used)!;
        Assert.Equal(0.01, used);
        Matrices.AssertClose(factor, Array.ConvertAll(scaled, value => value / Math.Sqrt(unit)), 1e-13);
    }
}
