using Compress.Core.LanguageModels.Weights;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Products with a matrix from its other side, for layers that store their weights as [in, out], and for gradients.</summary>
internal static unsafe class TransposedProduct
{
    /// <summary>Floats of the rows that are unpacked at a time.</summary>
    private const int PanelFloats = 1 << 18;

    private static readonly Kernel Kernel = Kernel.Fused;

    /// <summary><c>y[b, j] = Σ x[b, k] · w[k, j]</c>.</summary>
    /// <param name="weight">[inputs, outputs]. Rows that are not floats in memory are unpacked a few at a time.</param>
    /// <param name="x">[batch, inputs].</param>
    /// <param name="y">[batch, outputs].</param>
    /// <param name="batch">Vectors.</param>
    /// <param name="add">True to add to <paramref name="y"/>.</param>
    public static void Multiply(Parameter weight, ReadOnlySpan<float> x, Span<float> y, int batch, bool add = false)
    {
        int inputs = weight.Rows, outputs = weight.Columns;
        int depth = Math.Clamp(PanelFloats / outputs, 1, inputs);
        using Scratch buffer = new(weight.InPlace ? 0 : depth, outputs), tiles = new(Tiling.Floats(Kernel, depth, outputs));
        fixed (float* pinnedX = x, pinnedY = y)
        {
            for (int first = 0; first < inputs; first += depth)
            {
                int count = Math.Min(depth, inputs - first);
                fixed (float* rows = weight.GetRows(first, count, buffer.Span))
                {
                    Multiply(pinnedX + first, inputs, rows, count, outputs, tiles.Pointer, pinnedY, batch, add || first > 0);
                }
            }
        }
    }

    // With some rows of the matrix.
    private static void Multiply(float* x, int inputs, float* rows, int count, int outputs, float* tiles, float* y, int batch, bool add)
    {
        int tile = Kernel.TileWidth;
        Threads.For((outputs + tile - 1) / tile, index =>
        {
            int column = index * tile, width = Math.Min(tile, outputs - column);
            float* own = tiles + ((long)index * tile * count);
            Tiling.Copy(Kernel, rows + column, outputs, count, width, own);
            var b = new TiledMatrix { Values = new(own, tile * count), Depth = count, Width = width, TileStride = 0 };
            Kernel.MultiplyTiles(
                new(x, ((batch - 1) * inputs) + count), inputs, batch, b,
                new(y + column, ((batch - 1) * outputs) + width), outputs, add ? TileResult.Add : TileResult.Store);
        });
    }
}
