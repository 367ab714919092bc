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
        int wholeRows = rows / 4 * 4, wholeColumns = columns / 4 * 4;

        // The side whose lines lie farther apart is walked along its lines: few of them are in use at a time, so that none is evicted half done.
        if (fromStride > toStride)
        {
            for (int r = 0; r < wholeRows; r += 4)
            {
                for (int c = 0; c < wholeColumns; c += 4)
                {
                    Block(from + (r * fromStride) + c, fromStride, to + (c * toStride) + r, toStride);
                }
            }
        }
        else
        {
            for (int c = 0; c < wholeColumns; c += 4)
            {
                for (int r = 0; r < wholeRows; r += 4)
                {
                    Block(from + (r * fromStride) + c, fromStride, to + (c * toStride) + r, toStride);
                }
            }
        }

        Rest(from, fromStride, 0, wholeRows, wholeColumns, columns, to, toStride);
        Rest(from, fromStride, wholeRows, rows, 0, columns, to, toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block(float* from, long fromStride, float* to, long toStride)
    {
        var (row0, row1) = (Vector128.Load(from), Vector128.Load(from + fromStride));
        var (row2, row3) = (Vector128.Load(from + (2 * fromStride)), Vector128.Load(from + (3 * fromStride)));
        var (low01, high01) = (ZipLow(row0, row1), ZipHigh(row0, row1));
        var (low23, high23) = (ZipLow(row2, row3), ZipHigh(row2, row3));
        Vector128.Store(LowerHalves(low01, low23), to);
        Vector128.Store(UpperHalves(low01, low23), to + toStride);
        Vector128.Store(LowerHalves(high01, high23), to + (2 * toStride));
        Vector128.Store(UpperHalves(high01, high23), to + (3 * toStride));
    }

    private static void Rest(float* from, long fromStride, int row, int rows, int column, int columns, float* to, long toStride)
    {
        for (int r = row; r < rows; r++)
        {
            for (int c = column; c < columns; c++)
            {
                to[(c * toStride) + r] = from[(r * fromStride) + c];
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

    // a0 a1 b0 b1
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> LowerHalves(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.MoveLowToHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a.AsDouble(), b.AsDouble()).AsSingle()
        : Vector128.Create(a[0], a[1], b[0], b[1]);

    // a2 a3 b2 b3
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> UpperHalves(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.MoveHighToLow(b, a)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a.AsDouble(), b.AsDouble()).AsSingle()
        : Vector128.Create(a[2], a[3], b[2], b[3]);
}
