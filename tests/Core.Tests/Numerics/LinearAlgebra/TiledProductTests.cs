using Compress.Core.Numerics.LinearAlgebra;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

public unsafe class TiledProductTests
{
    // Around the blocks of 4 and 32 rows, tiles of 8 columns and chunks of 256 products. Small integers: every sum is exact.
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 7, 9)]
    [InlineData(4, 8, 256)]
    [InlineData(33, 17, 257)]
    [InlineData(70, 40, 513)]
    [InlineData(5, 3, 0)]
    [InlineData(0, 3, 4)]
    public void IsTheProduct(int rows, int width, int depth)
    {
        double[] a = Matrices.Make(rows, depth, (i, k) => ((i * 7) + (k * 3)) % 11 - 5);
        double[] b = Matrices.Make(depth, width, (k, j) => ((k * 5) + (j * 2)) % 13 - 6);
        double[] c = Matrices.Make(rows, width, (i, j) => i - j);
        double[] product = Matrices.Product(a, b, rows, depth, width);
        double[] expected = [.. c.Zip(product, (x, y) => x - y)];

        double[] tiles = new double[TiledProduct.TiledLength(depth, width)], tilesOfTransposed = new double[tiles.Length];
        fixed (double* pa = a, pb = b, pc = c, pt = tiles, transposed = Matrices.Transpose(b, depth, width), pu = tilesOfTransposed)
        {
            TiledProduct.Tile(pb, width, 1, depth, width, pt);
            TiledProduct.Tile(transposed, 1, depth, depth, width, pu);
            TiledProduct.Subtract(pa, depth, rows, pt, depth, width, pc, width);
        }

        Assert.Equal(tiles, tilesOfTransposed);
        Assert.Equal(expected, c);
    }

    // A row's sums may not depend on which other rows are multiplied along with it: that is what makes results the same for every number of threads.
    [Fact]
    public void RowsDoNotDependOnEachOther()
    {
        const int Rows = 37, Depth = 300, Width = 11;
        double[] a = [.. RandomWeights.Gaussian(Rows * Depth).Select(value => (double)value)];
        double[] b = [.. RandomWeights.Gaussian(Depth * Width, 2).Select(value => (double)value)];
        double[] together = new double[Rows * Width], apart = new double[Rows * Width], tiles = new double[TiledProduct.TiledLength(Depth, Width)];
        fixed (double* pa = a, pb = b, pt = tiles, pc = together, pd = apart)
        {
            TiledProduct.Tile(pb, Width, 1, Depth, Width, pt);
            TiledProduct.Subtract(pa, Depth, Rows, pt, Depth, Width, pc, Width);
            for (int row = 0; row < Rows; row++)
            {
                TiledProduct.Subtract(pa + (row * Depth), Depth, 1, pt, Depth, Width, pd + (row * Width), Width);
            }
        }

        Assert.Equal(together, apart);
    }
}
