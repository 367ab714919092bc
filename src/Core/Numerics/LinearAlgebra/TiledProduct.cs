using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// Products of matrices of doubles, the same to the bit on every machine: products are rounded before they are added, and the order of
/// additions depends on the depth alone. Blocks of 4 rows by 8 columns keep their sums in registers (Goto and van de Geijn,
/// "Anatomy of high-performance matrix multiplication", 2008).
/// </summary>
internal static unsafe class TiledProduct
{
    /// <summary>Columns of a tile.</summary>
    public const int TileWidth = 8;

    /// <summary>Rows of a tile that are multiplied in one go: 16 KiB, half of a first-level cache.</summary>
    private const int DepthChunk = 256;

    /// <summary>Rows that are multiplied with one tile after another: with a chunk of depth 128 KiB, a part of a second-level cache.</summary>
    private const int RowChunk = 64;

    /// <summary>Doubles of a matrix in tiles.</summary>
    public static long TiledLength(int depth, int width) => (long)(width + TileWidth - 1) / TileWidth * TileWidth * depth;

    /// <summary>
    /// Brings <c>b[k, j] = from[k · rowStride + j · columnStride]</c> into tiles: tile t is <c>[depth, TileWidth]</c>, and zero where it
    /// sticks out.
    /// </summary>
    public static void Tile(double* from, long rowStride, long columnStride, int depth, int width, double* tiles)
    {
        for (int first = 0; first < width; first += TileWidth, tiles += (long)TileWidth * depth)
        {
            int count = Math.Min(TileWidth, width - first);
            for (int j = 0; j < TileWidth; j++)
            {
                double* column = from + ((first + j) * columnStride);
                for (long k = 0; k < depth; k++)
                {
                    tiles[(k * TileWidth) + j] = j < count ? column[k * rowStride] : 0;
                }
            }
        }
    }

    /// <summary><c>c[r, j] −= Σ a[r, k] · b[k, j]</c> over k from <paramref name="from"/> on; each chunk of 256 products is added up by itself.</summary>
    /// <param name="a">[rows, aStride].</param>
    /// <param name="aStride">From one row to the next.</param>
    /// <param name="rows">Rows of a.</param>
    /// <param name="tiles">b as <see cref="Tile"/> made it.</param>
    /// <param name="depth">Rows of b.</param>
    /// <param name="width">Columns of b.</param>
    /// <param name="c">[rows, cStride].</param>
    /// <param name="cStride">From one row to the next.</param>
    /// <param name="from">The first k.</param>
    public static void Subtract(double* a, long aStride, int rows, double* tiles, int depth, int width, double* c, long cStride, int from = 0)
    {
        double* sums = stackalloc double[4 * TileWidth];
        for (int row = 0; row < rows; row += RowChunk)
        {
            int lastRow = Math.Min(rows, row + RowChunk);
            for (int k = from; k < depth; k += DepthChunk)
            {
                int count = Math.Min(DepthChunk, depth - k);
                for (int column = 0; column < width; column += TileWidth)
                {
                    double* tile = tiles + ((long)column * depth) + ((long)k * TileWidth);
                    for (int r = row; r < lastRow; r += 4)
                    {
                        // A block that sticks out repeats the last row.
                        double* a0 = a + (r * aStride) + k, last = a + ((rows - 1) * aStride) + k;
                        Block(a0, r + 1 < rows ? a0 + aStride : last, r + 2 < rows ? a0 + (2 * aStride) : last,
                            r + 3 < rows ? a0 + (3 * aStride) : last, tile, count, sums);
                        Subtract(sums, Math.Min(4, rows - r), Math.Min(TileWidth, width - column), c + (r * cStride) + column, cStride);
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Block(double* a0, double* a1, double* a2, double* a3, double* b, int depth, double* sums)
    {
        Vector256<double> s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default, s30 = default, s31 = default;
        for (nint k = 0; k < depth; k++)
        {
            Vector256<double> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 4);
            b += TileWidth;
            var value = Vector256.Create(a0[k]);
            s00 += value * b0;
            s01 += value * b1;
            value = Vector256.Create(a1[k]);
            s10 += value * b0;
            s11 += value * b1;
            value = Vector256.Create(a2[k]);
            s20 += value * b0;
            s21 += value * b1;
            value = Vector256.Create(a3[k]);
            s30 += value * b0;
            s31 += value * b1;
        }

        s00.Store(sums);
        s01.Store(sums + 4);
        s10.Store(sums + 8);
        s11.Store(sums + 12);
        s20.Store(sums + 16);
        s21.Store(sums + 20);
        s30.Store(sums + 24);
        s31.Store(sums + 28);
    }

    private static void Subtract(double* sums, int rows, int columns, double* c, long cStride)
    {
        for (int r = 0; r < rows; r++, sums += TileWidth, c += cStride)
        {
            if (columns == TileWidth)
            {
                (Vector256.Load(c) - Vector256.Load(sums)).Store(c);
                (Vector256.Load(c + 4) - Vector256.Load(sums + 4)).Store(c + 4);
                continue;
            }

            for (int j = 0; j < columns; j++)
            {
                c[j] -= sums[j];
            }
        }
    }
}
