using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Products of one vector with rows of points of two coordinates, for codebooks too large for byte shuffles. A code costs one
/// multiply-add whose operand is the codebook itself, with the two activations in the lower half of a vector and zeros above: the
/// point that follows in memory counts for nothing. Eight rows at once hide the latency of their sums and share the activations.
/// Gathers, and joining points into whole vectors, take more instructions for each weight.
/// </summary>
internal static unsafe class PairDot
{
    private const int RowsAtOnce = 8;

    // The last point is read as four floats, too.
    private const int TablePadding = 2;

    // So many codes are summed up before they go to the row's total, which keeps rounding errors small.
    private const int SegmentCodes = 256;

    /// <summary>True if this kernel serves the matrix.</summary>
    public static bool Fits(CodeMatrix matrix) => matrix.Codebook.Dimension == 2;

    /// <summary>The products of <c>y.Length</c> rows with a vector that is filled up with zeros to whole lines.</summary>
    public static void MultiplyRows<S, F, B>(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> padded, Span<float> y)
        where S : struct, ISimd<F, B>
        where F : struct
        where B : struct
    {
        int codes = matrix.CodesPerRow, line = Kernel.LineLength(codes), groups = matrix.Groups, rowBytes = matrix.RowBytes;
        bool inPlace = matrix.Bits == 8 && codes % 4 == 0;
        byte[] unpacked = ArrayPool<byte>.Shared.Rent((RowsAtOnce * line) + RowCursor.Padding);
        float[] scales = ArrayPool<float>.Shared.Rent(RowsAtOnce * groups);
        float[] table = ArrayPool<float>.Shared.Rent(matrix.Codebook.Values.Length + TablePadding);
        matrix.Codebook.Values.CopyTo(table, 0);
        table.AsSpan(matrix.Codebook.Values.Length, TablePadding).Clear();
        unpacked.AsSpan().Clear();
        scales.AsSpan().Clear();
        float* sums = stackalloc float[RowsAtOnce];
        fixed (float* x = padded, points = table, scale = scales)
        fixed (byte* bytes = unpacked)
        {
            for (int done = 0; done < y.Length; done += RowsAtOnce)
            {
                int rows = Math.Min(RowsAtOnce, y.Length - done);
                long first = firstRow + done;
                matrix.Scales.Read(first * groups, scales.AsSpan(0, rows * groups));
                var packed = matrix.Codes.Slice(first * rowBytes, rows * rowBytes);
                if (inPlace && rows == RowsAtOnce)
                {
                    fixed (byte* stored = packed)
                    {
                        Rows(matrix, stored, rowBytes, codes, scale, points, x, sums);
                    }
                }
                else
                {
                    for (int row = 0; row < rows; row++)
                    {
                        Strips<S, F, B>.Unpack(packed.Slice(row * rowBytes, rowBytes), matrix.Bits, codes, unpacked.AsSpan(row * line));
                    }

                    Rows(matrix, bytes, line, (codes + 3) / 4 * 4, scale, points, x, sums);
                }

                new ReadOnlySpan<float>(sums, rows).CopyTo(y[done..]);
            }
        }

        ArrayPool<byte>.Shared.Return(unpacked);
        ArrayPool<float>.Shared.Return(scales);
        ArrayPool<float>.Shared.Return(table);
    }

    private static void Rows(
        CodeMatrix matrix, byte* rows, int stride, int codes, float* scales, float* table, float* x, float* sums)
    {
        int groupCodes = matrix.GroupSize / 2, groups = matrix.Groups;
        new Span<float>(sums, RowsAtOnce).Clear();
        for (int group = 0; group < groups; group++)
        {
            long groupEnd = group + 1 < groups ? (group + 1L) * groupCodes : codes;
            for (long start = (long)group * groupCodes; start < groupEnd; start += SegmentCodes)
            {
                byte* end = rows + Math.Min(start + SegmentCodes, groupEnd);
                Segment(rows + start, (nuint)stride, end, x + (2 * start), table, scales + group, (nuint)groups, sums);
            }
        }
    }

    /// <summary>Adds scale · Σ point · x over some codes of eight rows to their sums. Calls nothing, so that the sums stay in registers.</summary>
    /// <param name="row0">The first row's codes; their number is a multiple of four.</param>
    /// <param name="stride">From one row to the next.</param>
    /// <param name="end">Where the first row's codes end.</param>
    /// <param name="x">The activations of the first code.</param>
    /// <param name="table">The codebook.</param>
    /// <param name="scales">The first row's scale.</param>
    /// <param name="scaleStride">From one row's scale to the next one's.</param>
    /// <param name="sums">Eight.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Segment(
        byte* row0, nuint stride, byte* end, float* x, float* table, float* scales, nuint scaleStride, float* sums)
    {
        Vector128<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        Vector128<float> sum4 = default, sum5 = default, sum6 = default, sum7 = default;
        byte* row3 = row0 + (3 * stride), row6 = row0 + (6 * stride);
        while (row0 < end)
        {
            var x0 = Activation(x);
            var x1 = Activation(x + 2);
            var x2 = Activation(x + 4);
            var x3 = Activation(x + 6);
            Four(row0, table, x0, x1, x2, x3, ref sum0);
            Four(row0 + stride, table, x0, x1, x2, x3, ref sum1);
            Four(row0 + (2 * stride), table, x0, x1, x2, x3, ref sum2);
            Four(row3, table, x0, x1, x2, x3, ref sum3);
            Four(row3 + stride, table, x0, x1, x2, x3, ref sum4);
            Four(row3 + (2 * stride), table, x0, x1, x2, x3, ref sum5);
            Four(row6, table, x0, x1, x2, x3, ref sum6);
            Four(row6 + stride, table, x0, x1, x2, x3, ref sum7);
            row0 += 4;
            row3 += 4;
            row6 += 4;
            x += 8;
        }

        sums[0] += scales[0] * (sum0[0] + sum0[1]);
        sums[1] += scales[scaleStride] * (sum1[0] + sum1[1]);
        sums[2] += scales[2 * scaleStride] * (sum2[0] + sum2[1]);
        sums[3] += scales[3 * scaleStride] * (sum3[0] + sum3[1]);
        sums[4] += scales[4 * scaleStride] * (sum4[0] + sum4[1]);
        sums[5] += scales[5 * scaleStride] * (sum5[0] + sum5[1]);
        sums[6] += scales[6 * scaleStride] * (sum6[0] + sum6[1]);
        sums[7] += scales[7 * scaleStride] * (sum7[0] + sum7[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Activation(float* x) => Vector128.CreateScalar(*(double*)x).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(
        byte* codes,
        float* table,
        Vector128<float> x0,
        Vector128<float> x1,
        Vector128<float> x2,
        Vector128<float> x3,
        ref Vector128<float> sum)
    {
        // Four codes by one load, taken off its low end.
        uint rest = Unsafe.ReadUnaligned<uint>(codes);
        sum = Vector128.MultiplyAddEstimate(x0, Point(table, (byte)rest), sum);
        rest >>= 8;
        sum = Vector128.MultiplyAddEstimate(x1, Point(table, (byte)rest), sum);
        rest >>= 8;
        sum = Vector128.MultiplyAddEstimate(x2, Point(table, (byte)rest), sum);
        rest >>= 8;
        sum = Vector128.MultiplyAddEstimate(x3, Point(table, rest), sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Point(float* table, nuint code) => Vector128.Load((float*)((double*)table + code));
}
