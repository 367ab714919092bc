using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Compress.Runtime.Kernels;

/// <summary>Brings matrices into the form of a <see cref="TiledMatrix"/>. What sticks out of the last tile is zero.</summary>
internal static unsafe class Tiling
{
    /// <summary>Rows that are asked for ahead of a copy: they lie too far apart for the hardware to foresee them.</summary>
    private const int RowsAhead = 16;

    /// <summary>Floats of a tiled matrix.</summary>
    /// <param name="kernel">Whose tiles.</param>
    /// <param name="depth">Rows.</param>
    /// <param name="width">Columns.</param>
    public static int Floats(Kernel kernel, int depth, int width) =>
        checked((width + kernel.TileWidth - 1) / kernel.TileWidth * kernel.TileWidth * depth);

    /// <summary>Tiles of a transposed matrix: <c>b[k, j] = from[j · stride + k]</c>.</summary>
    public static void Transpose(Kernel kernel, float* from, long stride, int depth, int width, float* tiles)
    {
        for (int j = 0; j < width; j += kernel.TileWidth, tiles += (long)kernel.TileWidth * depth)
        {
            int count = Clear(kernel, depth, width - j, tiles);
            Transposition.Run(from + (j * stride), stride, count, depth, tiles, kernel.TileWidth);
        }
    }

    /// <summary>Tiles of a matrix: <c>b[k, j] = from[k · stride + j]</c>.</summary>
    public static void Copy(Kernel kernel, float* from, long stride, int depth, int width, float* tiles)
    {
        for (int j = 0; j < width; j += kernel.TileWidth, tiles += (long)kernel.TileWidth * depth)
        {
            int count = Clear(kernel, depth, width - j, tiles);
            for (int k = 0; k < depth; k++)
            {
                if (Sse.IsSupported)
                {
                    float* ahead = from + ((k + RowsAhead) * stride) + j; // beyond the end it does nothing
                    Sse.Prefetch0(ahead);
                    Sse.Prefetch0(ahead + (kernel.TileWidth / 2));
                    Sse.Prefetch0(ahead + kernel.TileWidth - 1);
                }

                Copy(from + (k * stride) + j, count, tiles + ((long)k * kernel.TileWidth));
            }
        }
    }

    // Faster than a call for so few.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, int count, float* to)
    {
        int i = 0;
        for (; i <= count - 4; i += 4)
        {
            Vector128.Store(Vector128.Load(from + i), to + i);
        }

        for (; i < count; i++)
        {
            to[i] = from[i];
        }
    }

    private static int Clear(Kernel kernel, int depth, int width, float* tile)
    {
        if (width < kernel.TileWidth)
        {
            new Span<float>(tile, kernel.TileWidth * depth).Clear();
        }

        return Math.Min(width, kernel.TileWidth);
    }
}
