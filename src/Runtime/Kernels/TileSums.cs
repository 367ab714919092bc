using System.Numerics;

namespace Compress.Runtime.Kernels;

/// <summary>Brings the sums of a tile to their place in a product.</summary>
internal static unsafe class TileSums
{
    /// <summary>Writes <c>sums[height, stride]</c>, of which <paramref name="width"/> columns count, to row and column of c.</summary>
    public static void Write(float* sums, int stride, int height, int width, Span<float> c, int row, int column, int cStride, TileResult result)
    {
        if (result == TileResult.StoreTransposed)
        {
            var to = c[checked((column * cStride) + row)..];
            _ = to[((width - 1) * cStride) + height - 1]; // all of it is there
            fixed (float* pinned = to)
            {
                Transposition.Run(sums, stride, height, width, pinned, cStride);
            }

            return;
        }

        for (int r = 0; r < height; r++)
        {
            var from = new ReadOnlySpan<float>(sums + (r * stride), width);
            var to = c.Slice(checked(((row + r) * cStride) + column), width);
            if (result == TileResult.Store)
            {
                Copy(from, to);
            }
            else
            {
                Add(from, to);
            }
        }
    }

    // Faster than a call for so few.
    private static void Copy(ReadOnlySpan<float> from, Span<float> to)
    {
        int i = 0;
        for (; i <= from.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            new Vector<float>(from[i..]).CopyTo(to[i..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] = from[i];
        }
    }

    private static void Add(ReadOnlySpan<float> from, Span<float> to)
    {
        int i = 0;
        for (; i <= from.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (new Vector<float>(from[i..]) + new Vector<float>(to[i..])).CopyTo(to[i..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] += from[i];
        }
    }
}
