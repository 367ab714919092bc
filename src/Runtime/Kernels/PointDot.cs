using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Products of one vector with rows of points, for codebooks too large for byte shuffles. A code costs one multiply-add. Eight rows at once hide the latency of
/// their sums and share the activations.
/// </summary>
internal static unsafe class PointDot<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private const int RowsAtOnce = 8;

    // So many codes are summed up before they go to the row's total, which keeps rounding errors small.
    private const int SegmentCodes = 256;

    /// <summary>True if this kernel serves the matrix.</summary>
    public static bool Fits(CodeMatrix matrix) => matrix.Codebook.Dimension > 1 || matrix.Bits > 8;

    /// <summary>Floats of the vector, of which all behind its elements are zero: the last code's activations are loaded as a whole vector.</summary>
    public static int ArrangedLength(CodeMatrix matrix) => Kernel.LineLength(checked((matrix.CodesPerRow * matrix.Codebook.Dimension) + 3));

    /// <summary>The products of <c>y.Length</c> rows with a vector that is filled up with zeros.</summary>
    public static void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> padded, Span<float> y)
    {
        switch (matrix.Codebook.Dimension)
        {
            case 1: MultiplyRows<SinglePoint, Vector128<float>>(matrix, firstRow, padded, y); break;
            case 2: MultiplyRows<PairPoint, Vector128<float>>(matrix, firstRow, padded, y); break;
            case 3: MultiplyRows<TriplePoint, Vector128<float>>(matrix, firstRow, padded, y); break;
            case 4: MultiplyRows<QuadPoint, Vector128<float>>(matrix, firstRow, padded, y); break;
            case 8: MultiplyRows<OctetPoint, Vector256<float>>(matrix, firstRow, padded, y); break;
            default: throw new UnreachableException();
        }
    }

    private static void MultiplyRows<P, V>(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> padded, Span<float> y)
        where P : struct, IPoint<V>
        where V : struct
    {
        if (matrix.Bits > 8)
        {
            MultiplyRows<P, V, ushort>(matrix, firstRow, padded, y);
        }
        else
        {
            MultiplyRows<P, V, byte>(matrix, firstRow, padded, y);
        }
    }

    private static void MultiplyRows<P, V, C>(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> padded, Span<float> y)
        where P : struct, IPoint<V>
        where V : struct
        where C : unmanaged
    {
        int codes = matrix.CodesPerRow, line = Kernel.LineLength(codes), groups = matrix.Groups, rowBytes = matrix.RowBytes;
        C[] unpacked = ArrayPool<C>.Shared.Rent((RowsAtOnce * line) + RowCursor.Padding);
        float[] scales = ArrayPool<float>.Shared.Rent(RowsAtOnce * groups);
        unpacked.AsSpan().Clear();
        scales.AsSpan().Clear();
        float* sums = stackalloc float[RowsAtOnce];
        fixed (float* x = padded, table = matrix.Codebook.Values, scale = scales)
        fixed (C* line0 = unpacked)
        {
            for (int done = 0; done < y.Length; done += RowsAtOnce)
            {
                int rows = Math.Min(RowsAtOnce, y.Length - done);
                long first = firstRow + done;
                matrix.Scales.Read(first * groups, scales.AsSpan(0, rows * groups));
                var packed = matrix.Codes.Slice(first * rowBytes, rows * rowBytes);
                if (matrix.Bits == 8 && rows == RowsAtOnce)
                {
                    fixed (byte* stored = packed)
                    {
                        Rows<P, V, C>(matrix, (C*)stored, codes, scale, table, x, sums);
                    }
                }
                else
                {
                    for (int row = 0; row < rows; row++)
                    {
                        Unpack(packed.Slice(row * rowBytes, rowBytes), matrix.Bits, unpacked.AsSpan(row * line), codes);
                    }

                    Rows<P, V, C>(matrix, line0, line, scale, table, x, sums);
                }

                new ReadOnlySpan<float>(sums, rows).CopyTo(y[done..]);
            }
        }

        ArrayPool<C>.Shared.Return(unpacked);
        ArrayPool<float>.Shared.Return(scales);
    }

    private static void Unpack<C>(ReadOnlySpan<byte> row, int bits, Span<C> codes, int count)
        where C : unmanaged
    {
        if (sizeof(C) == 1)
        {
            Strips<S, F, B>.Unpack(row, bits, count, MemoryMarshal.AsBytes(codes));
        }
        else
        {
            Strips<S, F, B>.Unpack(row, bits, MemoryMarshal.Cast<C, ushort>(codes[..count]));
        }
    }

    private static void Rows<P, V, C>(CodeMatrix matrix, C* rows, int stride, float* scales, float* table, float* x, float* sums)
        where P : struct, IPoint<V>
        where V : struct
        where C : unmanaged
    {
        int groupCodes = matrix.GroupSize / P.Dimension, groups = matrix.Groups;
        new Span<float>(sums, RowsAtOnce).Clear();
        for (int group = 0; group < groups; group++)
        {
            long groupEnd = group + 1 < groups ? (group + 1L) * groupCodes : matrix.CodesPerRow;
            for (long start = (long)group * groupCodes; start < groupEnd; start += SegmentCodes)
            {
                C* end = rows + Math.Min(start + SegmentCodes, groupEnd);
                Segment<P, V, C>(rows + start, (nuint)stride, end, x + (P.Dimension * start), table, scales + group, (nuint)groups, sums);
            }
        }
    }

    /// <summary>Adds scale · Σ point · x over some codes of eight rows to their sums. Calls nothing, so that the sums stay in registers.</summary>
    /// <param name="row0">The first row's codes.</param>
    /// <param name="stride">From one row to the next, in codes.</param>
    /// <param name="end">Where the first row's codes end.</param>
    /// <param name="x">The activations of the first code.</param>
    /// <param name="table">The codebook.</param>
    /// <param name="scales">The first row's scale.</param>
    /// <param name="scaleStride">From one row's scale to the next one's.</param>
    /// <param name="sums">Eight.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Segment<P, V, C>(
        C* row0, nuint stride, C* end, float* x, float* table, float* scales, nuint scaleStride, float* sums)
        where P : struct, IPoint<V>
        where V : struct
        where C : unmanaged
    {
        V sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        V sum4 = default, sum5 = default, sum6 = default, sum7 = default;
        C* row3 = row0 + (3 * stride), row6 = row0 + (6 * stride);
        for (; row0 + 4 <= end; row0 += 4, row3 += 4, row6 += 4, x += 4 * P.Dimension)
        {
            V x0 = P.Activation(x), x1 = P.Activation(x + P.Dimension);
            V x2 = P.Activation(x + (2 * P.Dimension)), x3 = P.Activation(x + (3 * P.Dimension));
            Four<P, V, C>(row0, table, x0, x1, x2, x3, ref sum0);
            Four<P, V, C>(row0 + stride, table, x0, x1, x2, x3, ref sum1);
            Four<P, V, C>(row0 + (2 * stride), table, x0, x1, x2, x3, ref sum2);
            Four<P, V, C>(row3, table, x0, x1, x2, x3, ref sum3);
            Four<P, V, C>(row3 + stride, table, x0, x1, x2, x3, ref sum4);
            Four<P, V, C>(row3 + (2 * stride), table, x0, x1, x2, x3, ref sum5);
            Four<P, V, C>(row6, table, x0, x1, x2, x3, ref sum6);
            Four<P, V, C>(row6 + stride, table, x0, x1, x2, x3, ref sum7);
        }

        for (; row0 < end; row0++, row3++, row6++, x += P.Dimension)
        {
            V x0 = P.Activation(x);
            sum0 = P.MultiplyAdd(x0, table, Code(row0), sum0);
            sum1 = P.MultiplyAdd(x0, table, Code(row0 + stride), sum1);
            sum2 = P.MultiplyAdd(x0, table, Code(row0 + (2 * stride)), sum2);
            sum3 = P.MultiplyAdd(x0, table, Code(row3), sum3);
            sum4 = P.MultiplyAdd(x0, table, Code(row3 + stride), sum4);
            sum5 = P.MultiplyAdd(x0, table, Code(row3 + (2 * stride)), sum5);
            sum6 = P.MultiplyAdd(x0, table, Code(row6), sum6);
            sum7 = P.MultiplyAdd(x0, table, Code(row6 + stride), sum7);
        }

        sums[0] += scales[0] * P.Total(sum0);
        sums[1] += scales[scaleStride] * P.Total(sum1);
        sums[2] += scales[2 * scaleStride] * P.Total(sum2);
        sums[3] += scales[3 * scaleStride] * P.Total(sum3);
        sums[4] += scales[4 * scaleStride] * P.Total(sum4);
        sums[5] += scales[5 * scaleStride] * P.Total(sum5);
        sums[6] += scales[6 * scaleStride] * P.Total(sum6);
        sums[7] += scales[7 * scaleStride] * P.Total(sum7);
    }

    // Four codes by one load, taken off its low end.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four<P, V, C>(C* codes, float* table, V x0, V x1, V x2, V x3, ref V sum)
        where P : struct, IPoint<V>
        where V : struct
        where C : unmanaged
    {
        if (sizeof(C) == 1)
        {
            uint rest = Unsafe.ReadUnaligned<uint>(codes);
            sum = P.MultiplyAdd(x0, table, (byte)rest, sum);
            rest >>= 8;
            sum = P.MultiplyAdd(x1, table, (byte)rest, sum);
            rest >>= 8;
            sum = P.MultiplyAdd(x2, table, (byte)rest, sum);
            rest >>= 8;
            sum = P.MultiplyAdd(x3, table, rest, sum);
        }
        else
        {
            ulong rest = Unsafe.ReadUnaligned<ulong>(codes);
            sum = P.MultiplyAdd(x0, table, (ushort)rest, sum);
            rest >>= 16;
            sum = P.MultiplyAdd(x1, table, (ushort)rest, sum);
            rest >>= 16;
            sum = P.MultiplyAdd(x2, table, (ushort)rest, sum);
            rest >>= 16;
            sum = P.MultiplyAdd(x3, table, (nuint)rest, sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Code<C>(C* code)
        where C : unmanaged => sizeof(C) == 1 ? *(byte*)code : *(ushort*)code;
}
