using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Products of two matrices. Blocks of 4 rows by 3 vectors keep twelve sums in registers: for twelve multiply-adds they load three vectors and
/// broadcast four values, so that arithmetic is the limit, and no sum over a vector is needed (Goto and van de Geijn,
/// "Anatomy of high-performance matrix multiplication", 2008).
/// </summary>
internal static unsafe class Tiles<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private const int RowChunk = 64;

    /// <summary>Columns of a tile.</summary>
    public static int Width => 3 * VectorLength;

    private static int VectorLength => Unsafe.SizeOf<F>() / sizeof(float);

    /// <summary><c>Σ a[r, k] · b[k, j]</c>. The order of additions depends on the depth alone.</summary>
    /// <param name="a">[rows, aStride].</param>
    /// <param name="aStride">From one row to the next.</param>
    /// <param name="rows">Rows of a.</param>
    /// <param name="b">[depth, width].</param>
    /// <param name="c">[rows, cStride], or transposed [width, cStride].</param>
    /// <param name="cStride">From one row of c to the next.</param>
    /// <param name="result">What becomes of the product.</param>
    public static void Multiply(ReadOnlySpan<float> a, int aStride, int rows, in TiledMatrix b, Span<float> c, int cStride, TileResult result)
    {
        if (rows == 0 || b.Width == 0)
        {
            return;
        }

        Debug.Assert(a.Length >= ((long)(rows - 1) * aStride) + b.Depth);
        Debug.Assert(b.Values.Length >= ((long)((b.Width - 1) / Width) * b.TileStride) + (b.Depth * Width));
        float* sums = stackalloc float[RowChunk * Width];
        fixed (float* pinnedA = a, pinnedB = b.Values, pinnedC = c)
        {
            for (int row = 0; row < rows; row += RowChunk)
            {
                int height = Math.Min(RowChunk, rows - row);
                for (int column = 0; column < b.Width; column += Width)
                {
                    int width = Math.Min(Width, b.Width - column);
                    float* block = pinnedA + ((long)row * aStride), tile = pinnedB + ((long)(column / Width) * b.TileStride);
                    if (width == Width && height % 4 == 0 && FormsInPlace(result, b.Depth))
                    {
                        int at = checked((row * cStride) + column);
                        _ = c.Slice(checked(at + ((height - 1) * cStride)), Width); // all of it is there
                        Sum(block, aStride, height, tile, b.Depth, width, pinnedC + at, cStride, result == TileResult.Add);
                    }
                    else
                    {
                        Sum(block, aStride, height, tile, b.Depth, width, sums, Width, false);
                        TileSums.Write(sums, Width, height, width, c, row, column, cStride, result);
                    }
                }
            }
        }
    }

    // With the same order of additions as sums that are formed apart: these are added to c as one, so a second chunk must not follow.
    private static bool FormsInPlace(TileResult result, int depth) =>
        depth > 0 && (result == TileResult.Store || (result == TileResult.Add && depth <= Kernel.DepthChunk));

    // sums: [height, stride], filled up to a multiple of four rows
    private static void Sum(float* a, long aStride, int height, float* b, int depth, int width, float* sums, long stride, bool add)
    {
        if (depth == 0)
        {
            new Span<float>(sums, height * Width).Clear();
        }

        int vectors = (width + VectorLength - 1) / VectorLength;
        for (int k = 0; k < depth; k += Kernel.DepthChunk)
        {
            int count = Math.Min(Kernel.DepthChunk, depth - k);
            float* tile = b + ((long)k * Width);
            for (int r = 0; r < height; r += 4)
            {
                // A block that sticks out repeats the last row.
                float* a0 = a + (r * aStride) + k, last = a + ((height - 1) * aStride) + k;
                float* a1 = r + 1 < height ? a0 + aStride : last, a2 = r + 2 < height ? a1 + aStride : last, a3 = r + 3 < height ? a2 + aStride : last;
                switch (vectors)
                {
                    case 1: Block<One>(a0, a1, a2, a3, tile, count, sums + (r * stride), stride, add || k > 0); break;
                    case 2: Block<Two>(a0, a1, a2, a3, tile, count, sums + (r * stride), stride, add || k > 0); break;
                    default: Block<Three>(a0, a1, a2, a3, tile, count, sums + (r * stride), stride, add || k > 0); break;
                }
            }
        }
    }

    // Calls nothing, so that all sums stay in registers: no vector register survives a call on Unix.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Block<TVectors>(float* a0, float* a1, float* a2, float* a3, float* b, int depth, float* sums, long stride, bool add)
        where TVectors : struct, IConstant
    {
        nuint step = (nuint)VectorLength;
        F s00 = default, s01 = default, s02 = default, s10 = default, s11 = default, s12 = default;
        F s20 = default, s21 = default, s22 = default, s30 = default, s31 = default, s32 = default;
        for (nint k = 0; k < depth; k++)
        {
            F b0 = S.Load(ref *b, 0), b1 = TVectors.Value > 1 ? S.Load(ref *b, step) : default, b2 = TVectors.Value > 2 ? S.Load(ref *b, 2 * step) : default;
            b += 3 * step;
            MultiplyAdd<TVectors>(S.Broadcast(a0[k]), b0, b1, b2, ref s00, ref s01, ref s02);
            MultiplyAdd<TVectors>(S.Broadcast(a1[k]), b0, b1, b2, ref s10, ref s11, ref s12);
            MultiplyAdd<TVectors>(S.Broadcast(a2[k]), b0, b1, b2, ref s20, ref s21, ref s22);
            MultiplyAdd<TVectors>(S.Broadcast(a3[k]), b0, b1, b2, ref s30, ref s31, ref s32);
        }

        Put<TVectors>(ref *sums, s00, s01, s02, add);
        Put<TVectors>(ref *(sums + stride), s10, s11, s12, add);
        Put<TVectors>(ref *(sums + (2 * stride)), s20, s21, s22, add);
        Put<TVectors>(ref *(sums + (3 * stride)), s30, s31, s32, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd<TVectors>(F value, F b0, F b1, F b2, ref F s0, ref F s1, ref F s2)
        where TVectors : struct, IConstant
    {
        s0 = S.MultiplyAdd(value, b0, s0);
        if (TVectors.Value > 1)
        {
            s1 = S.MultiplyAdd(value, b1, s1);
        }

        if (TVectors.Value > 2)
        {
            s2 = S.MultiplyAdd(value, b2, s2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TVectors>(ref float sums, F s0, F s1, F s2, bool add)
        where TVectors : struct, IConstant
    {
        nuint step = (nuint)VectorLength;
        S.Store(add ? S.Add(S.Load(ref sums, 0), s0) : s0, ref sums, 0);
        if (TVectors.Value > 1)
        {
            S.Store(add ? S.Add(S.Load(ref sums, step), s1) : s1, ref sums, step);
        }

        if (TVectors.Value > 2)
        {
            S.Store(add ? S.Add(S.Load(ref sums, 2 * step), s2) : s2, ref sums, 2 * step);
        }
    }
}
