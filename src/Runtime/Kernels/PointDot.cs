using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Rows and products of matrices whose codes are longer than a byte or stand for three weights and more. A row's points are copied to a line of floats in the
/// first-level cache, one load and one store for each code; then the line is as any row of floats. Points may cross from one group to the next.
/// </summary>
internal static class PointDot<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static int Step => Unsafe.SizeOf<F>() / sizeof(float);

    public static bool Fits(CodeMatrix matrix) => matrix.Codebook.Dimension > 2 || matrix.Bits > 8;

    /// <summary>The products of <c>y.Length</c> rows with a vector that is filled up with zeros to whole lines.</summary>
    public static void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> padded, Span<float> y)
    {
        using var row = new RowCursor(matrix);
        using var line = new Line(matrix);
        for (int r = 0; r < y.Length; r++)
        {
            row.MoveTo(firstRow + r);
            y[r] = Dot(
                (nuint)matrix.GroupSize,
                (nuint)padded.Length,
                ref MemoryMarshal.GetReference(row.Scales),
                ref MemoryMarshal.GetReference(line.Read(row.Packed)),
                ref MemoryMarshal.GetReference(padded));
        }
    }

    /// <summary>Unpacks rows into lines of <paramref name="stride"/> floats.</summary>
    public static void DecodeRows(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        using var row = new RowCursor(matrix);
        using var line = new Line(matrix);
        for (int r = 0; r < rowCount; r++)
        {
            row.MoveTo(firstRow + r);
            ref float points = ref MemoryMarshal.GetReference(line.Read(row.Packed));
            var destination = weights.Slice(r * stride, matrix.Columns);
            for (int group = 0; group < row.Groups; group++)
            {
                int start = group * matrix.GroupSize, end = Math.Min(start + matrix.GroupSize, destination.Length);
                F scale = S.Broadcast(row.Scales[group]);
                for (; start + Step <= end; start += Step)
                {
                    S.Store(S.Multiply(S.Load(ref points, (nuint)start), scale), ref destination[start], 0);
                }

                for (; start < end; start++)
                {
                    destination[start] = Unsafe.Add(ref points, start) * row.Scales[group];
                }
            }
        }
    }

    // Calls nothing, so that all sums stay in registers: no vector register survives a call on Unix. Groups are whole vectors in every width.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Dot(nuint groupSize, nuint columns, ref float scales, ref float points, ref float x)
    {
        F total = default;
        nuint step = (nuint)Step;
        for (nuint column = 0; column < columns;)
        {
            nuint end = Math.Min(column + groupSize, columns);
            F sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            for (; column + (4 * step) <= end; column += 4 * step)
            {
                ref float point = ref Unsafe.Add(ref points, column);
                ref float from = ref Unsafe.Add(ref x, column);
                sum0 = S.MultiplyAdd(S.Load(ref point, 0), S.Load(ref from, 0), sum0);
                sum1 = S.MultiplyAdd(S.Load(ref point, step), S.Load(ref from, step), sum1);
                sum2 = S.MultiplyAdd(S.Load(ref point, 2 * step), S.Load(ref from, 2 * step), sum2);
                sum3 = S.MultiplyAdd(S.Load(ref point, 3 * step), S.Load(ref from, 3 * step), sum3);
            }

            for (; column < end; column += step)
            {
                sum0 = S.MultiplyAdd(S.Load(ref points, column), S.Load(ref x, column), sum0);
            }

            total = S.MultiplyAdd(S.Broadcast(scales), S.Add(S.Add(sum0, sum1), S.Add(sum2, sum3)), total);
            scales = ref Unsafe.Add(ref scales, 1);
        }

        return S.Sum(total);
    }

    /// <summary>Memory for the codes and the points of a row.</summary>
    private readonly ref struct Line : IDisposable
    {
        private readonly CodeMatrix matrix;
        private readonly int count;
        private readonly ushort[] codes;
        private readonly float[] points;

        public Line(CodeMatrix matrix)
        {
            (this.matrix, count) = (matrix, matrix.CodesPerRow);
            codes = ArrayPool<ushort>.Shared.Rent(count);

            // The last point may stand out, and whole vectors of a padded line are read.
            points = ArrayPool<float>.Shared.Rent(Kernel.LineLength(matrix.Columns) + 8);
            points.AsSpan(matrix.Columns).Clear();
        }

        /// <summary>The points of a row, one after the other, without scales.</summary>
        public ReadOnlySpan<float> Read(ReadOnlySpan<byte> packed)
        {
            CodePacking.Unpack(packed, matrix.Bits, codes.AsSpan(0, count));
            ref ushort code = ref MemoryMarshal.GetArrayDataReference(codes);
            ref float table = ref MemoryMarshal.GetArrayDataReference(matrix.Codebook.Values);
            ref float to = ref MemoryMarshal.GetArrayDataReference(points);
            for (int i = 0; i < count; i++)
            {
                int entry = Unsafe.Add(ref code, i);
                switch (matrix.Codebook.Dimension)
                {
                    case 1: Unsafe.Add(ref to, i) = Unsafe.Add(ref table, entry); break;
                    case 2: Vector64.LoadUnsafe(ref table, 2 * (nuint)entry).StoreUnsafe(ref to, 2 * (nuint)i); break;
                    case 3: Vector128.LoadUnsafe(ref table, 3 * (nuint)entry).StoreUnsafe(ref to, 3 * (nuint)i); break;
                    case 4: Vector128.LoadUnsafe(ref table, 4 * (nuint)entry).StoreUnsafe(ref to, 4 * (nuint)i); break;
                    default: Vector256.LoadUnsafe(ref table, 8 * (nuint)entry).StoreUnsafe(ref to, 8 * (nuint)i); break;
                }
            }

            // What was stored past the row's end has no weight, and must not meet garbage.
            points.AsSpan(matrix.Columns, 8).Clear();
            return points;
        }

        public void Dispose()
        {
            ArrayPool<ushort>.Shared.Return(codes);
            ArrayPool<float>.Shared.Return(points);
        }
    }
}
