using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.KMeans;

/// <summary>Weights that share values (Deep Compression, Han et al., arXiv 1510.00149): each is a code, and the rows, or so many at a time, have a table of 2^bits values.</summary>
internal sealed class KMeansTensor : PackedTensor, IRowParts
{
    // Times the largest scale, 2^15 would be infinite.
    private const float Limit = 1 << 15;

    private readonly Kernel kernel;
    private readonly ValueRows rows;
    private readonly CodeMatrix[] matrices;

    public KMeansTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        int bits = parts.Int("bits", 1, 8), share = parts.Int("shareRows", 1, int.MaxValue);
        int tables = CodeMatrix.GroupCount(Rows, share);
        var codes = parts.Codes("codes", Rows, Columns, 1 << bits).Codes;
        var scales = new ScaleTable(parts, tables);
        bool isBFloat16 = bits <= 4;
        var values = parts.Part("values", isBFloat16 ? DType.BF16 : DType.F16, (long)tables << bits);
        matrices = new CodeMatrix[tables];
        for (int table = 0; table < tables; table++)
        {
            int first = table * share;
            matrices[table] = new()
            {
                Rows = Math.Min(share, Rows - first),
                Columns = Columns,
                Bits = bits,
                GroupSize = Math.Max(Columns, 1),
                SharesScale = true,
                Codes = codes.From(first * CodePacking.RowBytes(Columns, bits)),
                Scales = scales.From(table),
                Codebook = Codebook.Points(Values(parts, values.Slice<ushort>((long)table << bits, 1 << bits), isBFloat16), 1),
            };
        }

        rows = new(this.kernel, matrices, share, Rows, Columns);
        CountBits(parts);
    }

    public override string Codec => "kmeans";

    public void DequantizePart(int first, Span<float> destination) => RowParts.Decode(kernel, matrices[0], first, destination);

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination) => rows.Decode(firstRow, rowCount, destination, Columns);

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated) =>
        PackedProduct.Multiply(kernel, rows, rows.PanelBatch, x, y, batch);

    private static float[] Values(PackedParts parts, ReadOnlySpan<ushort> stored, bool isBFloat16)
    {
        float[] values = new float[stored.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = isBFloat16 ? BitConverter.UInt32BitsToSingle((uint)stored[i] << 16) : (float)BitConverter.UInt16BitsToHalf(stored[i]);
        }

        return Array.TrueForAll(values, value => Math.Abs(value) < Limit) ? values : throw parts.Bad("its array 'values' holds a value that is not finite, or 2^15 and above");
    }
}
