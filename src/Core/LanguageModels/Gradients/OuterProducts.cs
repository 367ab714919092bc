using Compress.Core.LanguageModels.Blocks;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Gradients;

/// <summary>Sums of outer products over tokens.</summary>
internal static unsafe class OuterProducts
{
    private const int BlockRows = 64;

    private static readonly Kernel Kernel = Kernel.Fused;

    /// <summary><c>c[r, j] = Σ a[t, r] · b[t, j]</c>. The order of additions depends on the number of tokens alone.</summary>
    /// <param name="a">[tokens, rows].</param>
    /// <param name="rows">Rows of the sum.</param>
    /// <param name="b">[tokens, columns].</param>
    /// <param name="columns">Columns of the sum.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="c">Receives [rows, columns].</param>
    public static void Sum(ReadOnlySpan<float> a, int rows, ReadOnlySpan<float> b, int columns, int tokens, Span<float> c)
    {
        int floats = Tiling.Floats(Kernel, tokens, columns), tile = Kernel.TileWidth;
        using var tiles = new Scratch(floats);
        fixed (float* pinnedA = a, pinnedB = b, pinnedC = c)
        {
            float* firstA = pinnedA, firstB = pinnedB, firstC = pinnedC, tiled = tiles.Pointer;
            Threads.For((columns + tile - 1) / tile, index =>
            {
                int column = index * tile;
                Tiling.Copy(Kernel, firstB + column, columns, tokens, Math.Min(tile, columns - column), tiled + ((long)column * tokens));
            });
            Threads.For((rows + BlockRows - 1) / BlockRows, index =>
            {
                int row = index * BlockRows, count = Math.Min(BlockRows, rows - row);
                using var turned = new Scratch(count, tokens);
                Transposition.Run(firstA + row, rows, tokens, count, turned.Pointer, tokens);
                var matrix = new TiledMatrix { Values = new(tiled, floats), Depth = tokens, Width = columns, TileStride = tile * tokens };
                Kernel.MultiplyTiles(turned.Span, tokens, count, matrix, new(firstC + ((long)row * columns), count * columns), columns, TileResult.Store);
            });
        }
    }
}
