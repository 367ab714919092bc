using Compress.Core.LanguageModels.Weights;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Products with a matrix from its other side, for layers that store their weights as [in, out].</summary>
internal static unsafe class TransposedProduct
{
    /// <summary>Floats of the rows that are unpacked at a time.</summary>
    private const int PanelFloats = 1 << 18;

    private static readonly Kernel Kernel = Kernel.Fused;

    /// <summary><c>y[b, j] = Σ x[b, k] · w[k, j]</c>.</summary>
    /// <param name="weight">[inputs, outputs]. Rows are unpacked a few at a time.</param>
    /// <param name="x">[batch, inputs].</param>
    /// <param name="y">[batch, outputs].</param>
    /// <param name="batch">Vectors.</param>
    public static void Multiply(Parameter weight, ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        int inputs = weight.Rows, outputs = weight.Columns, tile = Kernel.TileWidth;
        int depth = Math.Clamp(PanelFloats / outputs, 1, inputs);
        using var rows = new Scratch(depth, outputs);
        using var tiles = new Scratch(Tiling.Floats(Kernel, depth, outputs));
        fixed (float* pinnedX = x, pinnedY = y)
        {
            float* from = pinnedX, to = pinnedY, unpacked = rows.Pointer, tiled = tiles.Pointer;
            for (int first = 0; first < inputs; first += depth)
            {
                int count = Math.Min(depth, inputs - first), start = first;
                weight.ReadRows(first, count, rows.Span);
                Threads.For((outputs + tile - 1) / tile, index =>
                {
                    int column = index * tile, width = Math.Min(tile, outputs - column);
                    float* own = tiled + ((long)index * tile * count);
                    Tiling.Copy(Kernel, unpacked + column, outputs, count, width, own);
                    var b = new TiledMatrix { Values = new(own, tile * count), Depth = count, Width = width, TileStride = 0 };
                    Kernel.MultiplyTiles(
                        new(from + start, ((batch - 1) * inputs) + count), inputs, batch, b,
                        new(to + column, ((batch - 1) * outputs) + width), outputs, start == 0 ? TileResult.Store : TileResult.Add);
                });
            }
        }
    }
}
