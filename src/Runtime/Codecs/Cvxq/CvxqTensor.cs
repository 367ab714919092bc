using System.Buffers;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>CVXQ (Young, arXiv 2409.02026): groups of weights with bit depths of their own, in rows that may be rotated.</summary>
internal sealed class CvxqTensor : PackedTensor
{
    // From this many vectors on, unpacking rows once pays.
    private const int PanelBatch = 4;

    private readonly Kernel kernel;
    private readonly MixedRows loops;
    private readonly Rotation? rotation;
    private readonly MixedMatrix matrix;

    public CvxqTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        loops = MixedRows.Of(this.kernel);
        int groupSize = parts.PowerOfTwo("groupSize", 64, 1024);
        bool rotated = parts.Text("quantizer") switch
        {
            "normal" => true,
            "laplace" => false,
            _ => throw parts.Bad("parameter 'quantizer' is not laplace or normal"),
        };
        rotation = rotated ? new(Math.Max(Columns, 1), groupSize, parts.UInt64("seed"), kernel) : null;
        matrix = new(parts, Rows, Columns, groupSize, rotated ? "levels.normal" : "levels.laplace");
        CountBits(parts);
    }

    public override string Codec => "cvxq";

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination)
    {
        if (rotation is not { } turn)
        {
            loops.Decode(matrix, firstRow, rowCount, destination, Columns);
            return;
        }

        float[] factors = ArrayPool<float>.Shared.Rent(Columns);
        turn.InverseFactors(factors);
        for (int row = 0; row < rowCount; row++)
        {
            var values = destination.Slice(row * Columns, Columns);
            loops.Decode(matrix, firstRow + row, 1, values, Columns);
            turn.Invert(values, factors);
        }

        ArrayPool<float>.Shared.Return(factors);
    }

    // <w, x> = <Qw, Qx>
    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated) =>
        Product(rotation is { } turn ? rotated.Get(x, Columns, turn) : x, y, batch);

    private void Product(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        if (batch >= PanelBatch)
        {
            BatchProduct.Multiply(kernel, new Panels(loops, matrix), x, y, batch);
            return;
        }

        int line = (loops.ArrangedLength(matrix) + Kernel.LineUnit - 1) / Kernel.LineUnit * Kernel.LineUnit;
        using var lines = new Scratch(batch, line);
        for (int b = 0; b < batch; b++)
        {
            loops.Arrange(matrix, x.Slice(b * Columns, Columns), lines.Span.Slice(b * line, line));
        }

        RowSpread.Run(Rows, Columns, batch, lines.Span, y, new FromCodes(loops, matrix, batch, line));
    }

    private readonly record struct FromCodes(MixedRows Loops, MixedMatrix Matrix, int Batch, int Line) : IRowWork
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> lines, Span<float> y)
        {
            for (int b = 0; b < Batch; b++)
            {
                Loops.Multiply(Matrix, firstRow, lines.Slice(b * Line, Line), y.Slice((b * Matrix.Rows) + firstRow, rowCount));
            }
        }
    }

    private readonly record struct Panels(MixedRows Loops, MixedMatrix Matrix) : IRowPanels
    {
        public int Rows => Matrix.Rows;

        public int Columns => Matrix.Columns;

        public bool InPlace => false;

        public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
        {
            Loops.Decode(Matrix, firstRow, rowCount, buffer, stride);
            return buffer;
        }
    }
}
