using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

public class BlockLdlTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 1)]
    [InlineData(8, 2)]
    [InlineData(9, 2)]
    [InlineData(37, 16)]
    [InlineData(5, 8)]
    public void ProductIsTheMatrix(int n, int blockSize)
    {
        double[] h = Matrices.Sample(n, 3 * n);
        var ldl = Decompose(h, n, blockSize);
        double[] d = Matrices.Make(n, n, (i, j) => i / blockSize == j / blockSize ? ldl.Diagonal(i, j) : 0);
        double[] product = Matrices.Product(Matrices.Product(ldl.Factor, d, n, n, n), Matrices.Transpose(ldl.Factor, n, n), n, n, n);
        Matrices.AssertClose(h, product, 1e-12);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < (i / blockSize * blockSize) + blockSize && j < n; j++)
            {
                Assert.Equal(i == j ? 1 : 0, ldl.Factor[(i * n) + j]);
            }
        }
    }

    // D of ρ^|i − j| is 1 − ρ² but for the last column, which is 1: so tr(D) / tr(H) → 0.19 for ρ = 0.9, the predicted ratio of
    // losses with feedback and without (docs/algorithms 5.1).
    [Fact]
    public void AutoregressiveMatrixHasItsClosedForm()
    {
        var ldl = Decompose(Matrices.Autoregressive(50, 0.9), 50, 1);
        Assert.All(Enumerable.Range(0, 49), k => Assert.Equal(0.19, ldl.Diagonal(k, k), 1e-12));
        Assert.Equal(1, ldl.Diagonal(49, 49), 1e-12);
    }

    [Fact]
    public void IdentityHasNoFeedback()
    {
        var ldl = Decompose(Matrices.Identity(6), 6, 1);
        Assert.Equal(Matrices.Identity(6), ldl.Factor);
    }

    private static BlockLdl Decompose(double[] h, int n, int blockSize) =>
        new(DampedCholesky.Upper(h, [.. Enumerable.Range(0, n)], 0, out _)!, n, blockSize);
}
