using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Kernels;

/// <summary>Products of a few unpacked rows, which stay in the cache, with a batch of vectors.</summary>
internal static class Panel<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    /// <summary>
    /// <c>y[b, r] = Σ weights[r, k] · x[b, k]</c>. Blocks of 4 rows and 2 vectors keep eight sums in registers and load six
    /// vectors for eight multiplications. A block that sticks out repeats the last row or vector.
    /// </summary>
    /// <param name="weights">[rows, stride].</param>
    /// <param name="rows">Rows of the panel.</param>
    /// <param name="x">[batch, stride].</param>
    /// <param name="batch">Vectors.</param>
    /// <param name="stride">Floats of a line: a multiple of 16, filled up with zeros.</param>
    /// <param name="y">Starts at the panel's first row of the first result.</param>
    /// <param name="yStride">From one vector's results to the next one's.</param>
    public static void Multiply(
        ReadOnlySpan<float> weights, int rows, ReadOnlySpan<float> x, int batch, int stride, Span<float> y, int yStride)
    {
        ref float w = ref MemoryMarshal.GetReference(weights);
        ref float v = ref MemoryMarshal.GetReference(x);
        nuint length = (nuint)stride, step = (nuint)(Unsafe.SizeOf<F>() / sizeof(float));
        for (int b = 0; b < batch; b += 2)
        {
            int b1 = Math.Min(b + 1, batch - 1);
            ref float x0 = ref Unsafe.Add(ref v, (nuint)b * length), x1 = ref Unsafe.Add(ref v, (nuint)b1 * length);
            for (int r = 0; r < rows; r += 4)
            {
                int r1 = Math.Min(r + 1, rows - 1), r2 = Math.Min(r + 2, rows - 1), r3 = Math.Min(r + 3, rows - 1);
                ref float w0 = ref Unsafe.Add(ref w, (nuint)r * length), w1 = ref Unsafe.Add(ref w, (nuint)r1 * length);
                ref float w2 = ref Unsafe.Add(ref w, (nuint)r2 * length), w3 = ref Unsafe.Add(ref w, (nuint)r3 * length);
                F s00 = default, s10 = default, s20 = default, s30 = default;
                F s01 = default, s11 = default, s21 = default, s31 = default;
                for (nuint k = 0; k < length; k += step)
                {
                    F a = S.Load(ref x0, k), c = S.Load(ref x1, k), row = S.Load(ref w0, k);
                    (s00, s01) = (S.MultiplyAdd(row, a, s00), S.MultiplyAdd(row, c, s01));
                    row = S.Load(ref w1, k);
                    (s10, s11) = (S.MultiplyAdd(row, a, s10), S.MultiplyAdd(row, c, s11));
                    row = S.Load(ref w2, k);
                    (s20, s21) = (S.MultiplyAdd(row, a, s20), S.MultiplyAdd(row, c, s21));
                    row = S.Load(ref w3, k);
                    (s30, s31) = (S.MultiplyAdd(row, a, s30), S.MultiplyAdd(row, c, s31));
                }

                Span<float> y0 = y[(b * yStride)..], y1 = y[(b1 * yStride)..];
                (y0[r], y0[r1], y0[r2], y0[r3]) = (S.Sum(s00), S.Sum(s10), S.Sum(s20), S.Sum(s30));
                (y1[r], y1[r1], y1[r2], y1[r3]) = (S.Sum(s01), S.Sum(s11), S.Sum(s21), S.Sum(s31));
            }
        }
    }
}
