using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Compress.Runtime.Kernels;

/// <summary>Transposes matrices of floats, four by four values at a time.</summary>
internal static unsafe class Transposition
{
    /// <summary><c>to[c · toStride + r] = from[r · fromStride + c]</c>.</summary>
    public static void Run(float* from, long fromStride, int rows, int columns, float* to, long toStride)
    {
        int r = 0;
        for (; r <= rows - 4; r += 4)
        {
            float* f = from + (r * fromStride), t = to + r;
            int c = 0;
            for (; c <= columns - 4; c += 4, f += 4, t += 4 * toStride)
            {
                var (row0, row1) = (Vector128.Load(f), Vector128.Load(f + fromStride));
                var (row2, row3) = (Vector128.Load(f + (2 * fromStride)), Vector128.Load(f + (3 * fromStride)));
                var (low01, high01) = (ZipLow(row0, row1), ZipHigh(row0, row1));
                var (low23, high23) = (ZipLow(row2, row3), ZipHigh(row2, row3));
                Vector128.Store(LowerHalves(low01, low23), t);
                Vector128.Store(UpperHalves(low01, low23), t + toStride);
                Vector128.Store(LowerHalves(high01, high23), t + (2 * toStride));
                Vector128.Store(UpperHalves(high01, high23), t + (3 * toStride));
            }

            for (; c < columns; c++, f++, t += toStride)
            {
                (t[0], t[1], t[2], t[3]) = (f[0], f[fromStride], f[2 * fromStride], f[3 * fromStride]);
            }
        }

        for (; r < rows; r++)
        {
            float* f = from + (r * fromStride), t = to + r;
            for (int c = 0; c < columns; c++, t += toStride)
            {
                *t = f[c];
            }
        }
    }

    // a0 b0 a1 b1
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    // a2 b2 a3 b3
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> LowerHalves(Vector128<float> a, Vector128<float> b) => Vector128.Create(a.GetLower(), b.GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> UpperHalves(Vector128<float> a, Vector128<float> b) => Vector128.Create(a.GetUpper(), b.GetUpper());
}
