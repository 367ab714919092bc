using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Runtime.Codecs.Sparse;

/// <summary>A matrix most of whose weights are zero: where the others are, and these, row after row, as a matrix of one row that is packed by itself.</summary>
internal sealed class SparseTensor : PackedTensor
{
    private readonly Kernel kernel;
    private readonly SparseRows rows;

    public SparseTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        int kept = parts.Int("kept", 0, (int)Math.Min(Count, int.MaxValue));
        var values = parts.Matrix("values", 1, kept);
        long before = parts.OwnBytes;
        var mask = MaskReader.Read(parts, Rows, Columns, kept);
        rows = new(
            mask,
            values as IRowParts ?? throw parts.Bad($"its part 'values' is packed by {values.Codec}, of which no parts can be unpacked"),
            Vectors: this.kernel is not ScalarKernel);
        long stored = parts.OwnBytes - before;
        CountBits(parts);
        MemoryBytes += mask.Bytes - stored;
    }

    public override string Codec => "sparse";

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination) => rows.Decode(firstRow, rowCount, destination, Columns);

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated) =>
        PackedProduct.Multiply(kernel, rows, rows.PanelBatch, x, y, batch);
}
