using System.Buffers;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Crvq;

/// <summary>
/// Additive vector quantization, <c>aqlm</c> (Egiazarian et al., arXiv 2401.06118) and <c>crvq</c> (Xu et al., arXiv 2412.09282): a group of g weights of a
/// row is its scale times a sum of vectors, one of each codebook. In <c>crvq</c> only the groups of the critical columns, which come first, have a vector of
/// every codebook; the others have one of the first.
/// </summary>
internal sealed class CrvqTensor : PackedTensor
{
    /// <summary>Tables for one product that are worth their memory.</summary>
    private const long MaxTableFloats = 1 << 24;

    private readonly Kernel kernel;
    private readonly AdditiveCodes codes;
    private readonly ScaleTable scales;
    private readonly int[]? order; // of the columns; null if they keep their own
    private readonly CodebookTables tables;

    public CrvqTensor(PackedParts parts, string codec, Kernel? kernel = null)
        : base(parts)
    {
        Codec = codec;
        this.kernel = kernel ?? Kernel.Best;
        int groupSize = parts.Int("groupSize", 2, 32), count = parts.Int("codebooks", 1, 8), entries = parts.Int("entries", 1, 256);
        int groups = (Columns / groupSize) + (Columns % groupSize == 0 ? 0 : 1);
        var (critical, extendedEntries) = (groups, entries);
        if (codec == "crvq")
        {
            critical = parts.Int("criticalGroups", 0, Columns / groupSize);
            extendedEntries = parts.Int("extendedEntries", 1, 256);
            order = critical == 0 ? null : Order(parts, critical * groupSize);
        }

        codes = new(parts, Rows, groups, critical, count, entries, extendedEntries, groupSize);
        scales = new(parts, Rows);
        tables = new(codes);
        CountBits(parts);
    }

    public override string Codec { get; }

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination) => Decode(firstRow, rowCount, destination, Columns);

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated)
    {
        // A table costs as much as multiplying with as many rows as it has entries.
        if (batch >= kernel.TileBatch || Rows <= codes.Entries || tables.Floats > MaxTableFloats)
        {
            BatchProduct.Multiply(kernel, new Panels(this), x, y, batch);
            return;
        }

        float[] arranged = ArrayPool<float>.Shared.Rent(codes.PaddedColumns);
        for (int b = 0; b < batch; b++)
        {
            Arrange(x.Slice(b * Columns, Columns), arranged);
            tables.Multiply(arranged, y.Slice(b * Rows, Rows), scales);
        }

        ArrayPool<float>.Shared.Return(arranged);
    }

    private void Arrange(ReadOnlySpan<float> x, float[] arranged)
    {
        if (order is null)
        {
            x.CopyTo(arranged);
        }
        else
        {
            for (int i = 0; i < order.Length; i++)
            {
                arranged[i] = x[order[i]];
            }
        }

        arranged.AsSpan(Columns, codes.PaddedColumns - Columns).Clear();
    }

    private void Decode(int firstRow, int rowCount, Span<float> destination, int stride)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(codes.PaddedColumns);
        Span<float> scale = stackalloc float[1];
        for (int i = 0; i < rowCount; i++)
        {
            codes.Decode(firstRow + i, rented);
            scales.Read(firstRow + i, scale);
            var row = destination.Slice(i * stride, Columns);
            if (order is null)
            {
                for (int j = 0; j < row.Length; j++)
                {
                    row[j] = scale[0] * rented[j];
                }
            }
            else
            {
                for (int j = 0; j < row.Length; j++)
                {
                    row[order[j]] = scale[0] * rented[j];
                }
            }
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    // The critical columns as stored, then all others from the first to the last.
    private int[] Order(PackedParts parts, int count)
    {
        var found = new bool[Columns];
        int[] columns = new int[Columns];
        bool narrow = Columns <= 1 << 16;
        var stored = parts.Part("critical", narrow ? DType.U16 : DType.U32, count);
        for (int i = 0; i < count; i++)
        {
            uint column = narrow ? stored.Slice<ushort>(i, 1)[0] : stored.Slice<uint>(i, 1)[0];
            if (column >= (uint)Columns || found[column])
            {
                throw parts.Bad($"its array 'critical' names column {column} {(column < (uint)Columns ? "twice" : $"of {Columns}")}");
            }

            (columns[i], found[column]) = ((int)column, true);
        }

        for (int column = 0; column < Columns; column++)
        {
            if (!found[column])
            {
                columns[count++] = column;
            }
        }

        return columns;
    }

    private readonly record struct Panels(CrvqTensor Tensor) : IRowPanels
    {
        public int Rows => Tensor.Rows;

        public int Columns => Tensor.Columns;

        public bool InPlace => false;

        public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
        {
            Tensor.Decode(firstRow, rowCount, buffer, stride);
            return buffer;
        }
    }
}
