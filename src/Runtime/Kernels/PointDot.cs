using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Rows and products of matrices whose codes are longer than a byte or stand for three weights and more. A row's points are copied to a line of floats in the
/// first-level cache, one load and one store for each code; then the line is as any row of floats. Each group begins at a whole vector: those of p = 3 need gaps.
/// </summary>
internal static class PointDot<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static int Step => Unsafe.SizeOf<F>() / sizeof(float);

    public static bool Fits(CodeMatrix matrix) => matrix.Codebook.Dimension > 2 || matrix.Bits > 8;

    /// <summary>Floats that <see cref="Arrange"/> writes.</summary>
    public static int ArrangedLength(CodeMatrix matrix) =>
        checked(((matrix.Groups - 1) * Stride(matrix)) + Kernel.LineLength(matrix.Columns - ((matrix.Groups - 1) * matrix.GroupSize)));

    /// <summary>Fills up each group with zeros.</summary>
    public static void Arrange(CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged)
    {
        arranged.Clear();
        for (int group = 0; group < matrix.Groups; group++)
        {
            int start = group * matrix.GroupSize;
            x[start..Math.Min(start + matrix.GroupSize, x.Length)].CopyTo(arranged[(group * Stride(matrix))..]);
        }
    }

    /// <summary>The products of <c>y.Length</c> rows with an arranged vector.</summary>
    public static void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        using var row = new RowCursor(matrix);
        using var line = new Line(matrix);
        for (int r = 0; r < y.Length; r++)
        {
            row.MoveTo(firstRow + r);
            y[r] = Dot(
                (nuint)Stride(matrix),
                (nuint)arranged.Length,
                ref MemoryMarshal.GetReference(row.Scales),
                ref MemoryMarshal.GetReference(line.Read(row.Packed)),
                ref MemoryMarshal.GetReference(arranged));
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
            ref float all = ref MemoryMarshal.GetReference(line.Read(row.Packed));
            var destination = weights.Slice(r * stride, matrix.Columns);
            for (int group = 0; group < row.Groups; group++)
            {
                int start = group * matrix.GroupSize;
                var part = destination[start..Math.Min(start + matrix.GroupSize, destination.Length)];
                ref float points = ref Unsafe.Add(ref all, group * Stride(matrix));
                F scale = S.Broadcast(row.Scales[group]);
                int i = 0;
                for (; i + Step <= part.Length; i += Step)
                {
                    S.Store(S.Multiply(S.Load(ref points, (nuint)i), scale), ref part[i], 0);
                }

                for (; i < part.Length; i++)
                {
                    part[i] = Unsafe.Add(ref points, i) * row.Scales[group];
                }
            }
        }
    }

    // From one group to the next: whole vectors in every width.
    private static int Stride(CodeMatrix matrix) => matrix.Groups == 1 ? 0 : Kernel.LineLength(matrix.GroupSize);

    // Calls nothing, so that all sums stay in registers: no vector register survives a call on Unix.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Dot(nuint stride, nuint length, ref float scales, ref float points, ref float x)
    {
        F total = default;
        nuint step = (nuint)Step;
        for (nuint column = 0; column < length;)
        {
            nuint end = stride == 0 ? length : Math.Min(column + stride, length);
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

            // What fills up a group meets zeros, and must be finite. The last point may stand out.
            points = ArrayPool<float>.Shared.Rent(ArrangedLength(matrix) + 8);
            points.AsSpan().Clear();
        }

        /// <summary>The points of a row, without scales; each group begins at a multiple of the stride.</summary>
        public ReadOnlySpan<float> Read(ReadOnlySpan<byte> packed)
        {
            CodePacking.Unpack(packed, matrix.Bits, codes.AsSpan(0, count));
            ref ushort code = ref MemoryMarshal.GetArrayDataReference(codes);
            ref float table = ref MemoryMarshal.GetArrayDataReference(matrix.Codebook.Values);
            ref float to = ref MemoryMarshal.GetArrayDataReference(points);
            int groupCodes = matrix.GroupSize / matrix.Codebook.Dimension;
            for (int first = 0; first < count; first += groupCodes)
            {
                Copy(ref Unsafe.Add(ref code, first), Math.Min(groupCodes, count - first), ref table, ref Unsafe.Add(ref to, first / groupCodes * Stride(matrix)), matrix.Codebook.Dimension);
            }

            return points;
        }

        // A point of three coordinates is stored as four: what follows overwrites the last, or it fills up a group.
        private static void Copy(ref ushort codes, int count, ref float table, ref float to, int dimension)
        {
            for (int i = 0; i < count; i++)
            {
                nuint entry = Unsafe.Add(ref codes, i);
                switch (dimension)
                {
                    case 1: Unsafe.Add(ref to, i) = Unsafe.Add(ref table, entry); break;
                    case 2: Vector64.LoadUnsafe(ref table, 2 * entry).StoreUnsafe(ref to, 2 * (nuint)i); break;
                    case 3: Vector128.LoadUnsafe(ref table, 3 * entry).StoreUnsafe(ref to, 3 * (nuint)i); break;
                    case 4: Vector128.LoadUnsafe(ref table, 4 * entry).StoreUnsafe(ref to, 4 * (nuint)i); break;
                    default: Vector256.LoadUnsafe(ref table, 8 * entry).StoreUnsafe(ref to, 8 * (nuint)i); break;
                }
            }
        }

        public void Dispose()
        {
            ArrayPool<ushort>.Shared.Return(codes);
            ArrayPool<float>.Shared.Return(points);
        }
    }
}
