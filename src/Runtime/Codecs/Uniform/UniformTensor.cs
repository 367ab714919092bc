using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Uniform;

/// <summary>
/// Uniform quantization: w = scale · (code − zero), rounded once. Symmetric tensors have zero = 2^(bits−1) − 1 throughout (so that
/// codes 0 … 2^bits − 2 stand for −zero … zero), others a stored zero point for each scale.
/// A scale serves the whole tensor, a row, or a group of consecutive columns of a row.
/// </summary>
internal sealed class UniformTensor : PackedTensor, IRowParts
{
    private readonly Kernel kernel;
    private readonly CodeMatrix matrix;

    public UniformTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        int bits = parts.Int("bits", 2, 8);
        string granularity = parts.Text("granularity");
        int groupSize = granularity switch
        {
            "tensor" or "channel" => Math.Max(Columns, 1),
            "group" => parts.PowerOfTwo("groupSize", 16, 4096),
            _ => throw parts.Bad($"parameter 'granularity' is '{granularity}', not tensor, channel or group"),
        };
        bool sharesScale = granularity == "tensor";
        long scales = sharesScale ? 1 : (long)Rows * CodeMatrix.GroupCount(Columns, groupSize);
        matrix = new()
        {
            Rows = Rows,
            Columns = Columns,
            Bits = bits,
            GroupSize = groupSize,
            SharesScale = sharesScale,
            Codes = parts.Codes("codes", Rows, Columns, 1 << bits).Codes,
            Scales = new(parts, scales),
            Zeros = parts.Bool("symmetric") ? null : parts.Part("zeros", DType.U8, CodePacking.RowBytes(scales, bits)),
            FixedZero = (byte)((1 << (bits - 1)) - 1),
            Codebook = Codebook.Integers(bits),
        };
        CountBits(parts);
    }

    public override string Codec => "uniform";

    public void DequantizePart(int first, Span<float> destination) => RowParts.Decode(kernel, matrix, first, destination);

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination) =>
        kernel.DecodeRows(matrix, firstRow, rowCount, destination, Columns);

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated) =>
        PackedProduct.Multiply(kernel, matrix, x, y, batch);
}
