using System.Buffers;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>CVXQ (Young, arXiv 2409.02026): groups of weights with bit depths of their own, in rows that may be rotated.</summary>
internal sealed class CvxqTensor : PackedTensor
{
    /// <summary>The array of the bias, and the parameter that it is there with.</summary>
    public const string BiasPart = "bias", BiasExponent = "biasExponent";

    // From this many vectors on, unpacking rows once pays.
    private const int PanelBatch = 4;

    private readonly Kernel kernel;
    private readonly MixedRows loops;
    private readonly Rotation? rotation;
    private readonly MixedMatrix matrix;
    private readonly float[] bias;

    public CvxqTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        loops = MixedRows.Of(this.kernel);
        (int groupSize, rotation) = Quantizer(parts, Columns, kernel);
        matrix = new(parts, Rows, Columns, groupSize, rotation is null ? "levels.laplace" : "levels.normal");
        bias = ReadBias(parts, Rows);
        CountBits(parts);
    }

    public override string Codec => "cvxq";

    public override ReadOnlySpan<float> OutputBias => bias;

    /// <summary>Opens a tensor, whichever its groups are.</summary>
    public static PackedTensor Open(PackedParts parts) => parts.Has("grouping") ? new ClusteredTensor(parts) : new CvxqTensor(parts);

    /// <summary>The size of groups, and the rotation of rows if there is one.</summary>
    public static (int GroupSize, Rotation? Rotation) Quantizer(PackedParts parts, int columns, Kernel? kernel)
    {
        int groupSize = parts.PowerOfTwo("groupSize", 64, 1024);
        return (groupSize, parts.Text("quantizer") switch
        {
            "normal" => new Rotation(Math.Max(columns, 1), groupSize, parts.UInt64("seed"), kernel),
            "laplace" => null,
            _ => throw parts.Bad("parameter 'quantizer' is not laplace or normal"),
        });
    }

    /// <summary>What products add, if there is such an array.</summary>
    public static float[] ReadBias(PackedParts parts, int rows)
    {
        if (!parts.Has(BiasExponent))
        {
            return [];
        }

        var stored = new ScaleTable(parts, rows, BiasPart, BiasExponent);
        float[] bias = new float[rows];
        stored.Read(0, bias);
        return Array.TrueForAll(bias, float.IsFinite) ? bias : throw parts.Bad("its bias holds a value that is not finite");
    }

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
    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated)
    {
        PackedProduct.Multiply(kernel, new MixedPackedRows(loops, matrix), PanelBatch, rotation is { } turn ? rotated.Get(x, Columns, turn) : x, y, batch);
        AddOutputBias(y);
    }

    private readonly record struct MixedPackedRows(MixedRows Loops, MixedMatrix Matrix) : IPackedRows
    {
        public int Rows => Matrix.Rows;

        public int Columns => Matrix.Columns;

        public int ArrangedLength => (Loops.ArrangedLength(Matrix) + Kernel.LineUnit - 1) / Kernel.LineUnit * Kernel.LineUnit;

        public void Arrange(ReadOnlySpan<float> x, Span<float> arranged) => Loops.Arrange(Matrix, x, arranged);

        public void Multiply(int firstRow, ReadOnlySpan<float> arranged, Span<float> y) => Loops.Multiply(Matrix, firstRow, arranged, y);

        public void Decode(int firstRow, int rowCount, Span<float> weights, int stride) => Loops.Decode(Matrix, firstRow, rowCount, weights, stride);
    }
}
