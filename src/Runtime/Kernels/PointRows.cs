using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Unpacks rows of points of three coordinates and more, and those with codes longer than a byte: points are copied to a line in the first-level cache, one load and
/// one store for each code; then the line is scaled.
/// </summary>
internal static unsafe class PointRows<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static int Step => Unsafe.SizeOf<F>() / sizeof(float);

    /// <summary>True if these loops serve the matrix.</summary>
    public static bool Fits(CodeMatrix matrix) => matrix.Codebook.Dimension > 2 || matrix.Bits > 8;

    /// <summary>Unpacks rows into lines of <paramref name="stride"/> floats; what lies between a row's end and the next line stays.</summary>
    public static void Decode(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        int count = matrix.CodesPerRow;
        ushort[] codes = ArrayPool<ushort>.Shared.Rent(count);
        float[] points = ArrayPool<float>.Shared.Rent(checked((count * matrix.Codebook.Dimension) + 3)); // the last point may be stored as a whole vector
        using var row = new RowCursor(matrix);
        for (int r = 0; r < rowCount; r++)
        {
            row.MoveTo(firstRow + r);
            Unpack(row.Packed, matrix.Bits, codes.AsSpan(0, count));
            Copy(matrix.Codebook, codes.AsSpan(0, count), points);
            Scale(points, row.Scales, matrix.GroupSize, weights.Slice(r * stride, matrix.Columns));
        }

        ArrayPool<float>.Shared.Return(points);
        ArrayPool<ushort>.Shared.Return(codes);
    }

    private static void Unpack(ReadOnlySpan<byte> row, int bits, Span<ushort> codes)
    {
        if (bits > 8)
        {
            Strips<S, F, B>.Unpack(row, bits, codes);
        }
        else
        {
            CodePacking.Unpack(row, bits, codes);
        }
    }

    private static void Copy(Codebook book, ReadOnlySpan<ushort> codes, float[] points)
    {
        fixed (float* table = book.Values, to = points)
        {
            switch (book.Dimension)
            {
                case 1: Copy<SinglePoint, Vector128<float>>(codes, table, to); break;
                case 2: Copy<PairPoint, Vector128<float>>(codes, table, to); break;
                case 3: Copy<TriplePoint, Vector128<float>>(codes, table, to); break;
                case 4: Copy<QuadPoint, Vector128<float>>(codes, table, to); break;
                case 8: Copy<OctetPoint, Vector256<float>>(codes, table, to); break;
                default: throw new UnreachableException();
            }
        }
    }

    private static void Copy<P, V>(ReadOnlySpan<ushort> codes, float* table, float* to)
        where P : struct, IPoint<V>
    {
        foreach (ushort code in codes)
        {
            P.Copy(table, code, to);
            to += P.Dimension;
        }
    }

    private static void Scale(float[] points, ReadOnlySpan<float> scales, int groupSize, Span<float> weights)
    {
        for (int group = 0, start = 0; start < weights.Length; group++, start += groupSize)
        {
            int end = Math.Min(start + groupSize, weights.Length), i = start;
            F scale = S.Broadcast(scales[group]);
            for (; i + Step <= end; i += Step)
            {
                S.Store(S.Multiply(S.Load(ref points[i], 0), scale), ref weights[i], 0);
            }

            for (; i < end; i++)
            {
                weights[i] = points[i] * scales[group];
            }
        }
    }
}
