using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Codecs.Sparse;

/// <summary>The rows of a sparse matrix. Values of several rows are unpacked at once.</summary>
/// <param name="Mask">Where they are.</param>
/// <param name="Values">What they are.</param>
/// <param name="Vectors">False to do without vectors.</param>
internal readonly record struct SparseRows(SparseMask Mask, IRowParts Values, bool Vectors) : IPackedRows
{
    // 32 KiB of values, which stay in the first cache: unless one row has more.
    private const int ValuesAtOnce = 8192;

    // From this many vectors on, rows are better unpacked than each vector gathered from; see bench/results.
    private const int ListedPanelBatch = 4;

    public int Rows => Mask.Rows;

    public int Columns => Mask.Columns;

    public int ArrangedLength => Columns;

    /// <summary>From this many vectors on, rows are better unpacked.</summary>
    public int PanelBatch => Mask.IsListed ? ListedPanelBatch : 1;

    public void Arrange(ReadOnlySpan<float> x, Span<float> arranged) => x.CopyTo(arranged);

    public void Multiply(int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        for (int done = 0; done < y.Length;)
        {
            int first = firstRow + done, count = Together(first, y.Length - done);
            using var values = Read(first, count);
            for (int row = first; row < first + count; row++)
            {
                y[done++] = Dot(values.Span[(Mask.Start(row) - Mask.Start(first))..], Mask.Listed(row), arranged);
            }
        }
    }

    public void Decode(int firstRow, int rowCount, Span<float> weights, int stride)
    {
        for (int done = 0; done < rowCount;)
        {
            int first = firstRow + done, count = Together(first, rowCount - done);
            using var values = Read(first, count);
            for (int row = first; row < first + count; row++)
            {
                Mask.Expand(row, values.Span[(Mask.Start(row) - Mask.Start(first))..], weights.Slice(done++ * stride, Columns), Vectors);
            }
        }
    }

    // How many rows from one on are unpacked at once: one at least.
    private int Together(int first, int most)
    {
        int count = 1;
        while (count < most && Mask.Start(first + count + 1) - Mask.Start(first) <= ValuesAtOnce)
        {
            count++;
        }

        return count;
    }

    private Scratch Read(int first, int count)
    {
        int start = Mask.Start(first), kept = Mask.Start(first + count) - start;
        var values = new Scratch(checked(kept + Expansion.Padding));
        if (kept > 0)
        {
            Values.DequantizePart(start, values.Span[..kept]);
        }

        return values;
    }

    // Columns were checked when the mask was read.
    private static float Dot(ReadOnlySpan<float> values, ReadOnlySpan<ushort> columns, ReadOnlySpan<float> x)
    {
        ref float value = ref MemoryMarshal.GetReference(values), input = ref MemoryMarshal.GetReference(x);
        ref ushort column = ref MemoryMarshal.GetReference(columns);
        nuint i = 0, length = (nuint)columns.Length;
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (; i + 4 <= length; i += 4)
        {
            s0 += Unsafe.Add(ref value, i) * Unsafe.Add(ref input, (nuint)Unsafe.Add(ref column, i));
            s1 += Unsafe.Add(ref value, i + 1) * Unsafe.Add(ref input, (nuint)Unsafe.Add(ref column, i + 1));
            s2 += Unsafe.Add(ref value, i + 2) * Unsafe.Add(ref input, (nuint)Unsafe.Add(ref column, i + 2));
            s3 += Unsafe.Add(ref value, i + 3) * Unsafe.Add(ref input, (nuint)Unsafe.Add(ref column, i + 3));
        }

        for (; i < length; i++)
        {
            s0 += Unsafe.Add(ref value, i) * Unsafe.Add(ref input, (nuint)Unsafe.Add(ref column, i));
        }

        return s0 + s1 + (s2 + s3);
    }
}
