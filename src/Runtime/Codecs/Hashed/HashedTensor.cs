using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Hashed;

/// <summary>HashedNets (Chen et al., ICML 2015, arXiv 1504.04788): a hash of its place says which of a few stored values a weight is, and with which sign. No code is stored.</summary>
internal sealed class HashedTensor : PackedTensor
{
    private readonly Kernel kernel;
    private readonly float[] values;
    private readonly uint seed;

    public HashedTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        seed = SeedOf(parts.UInt64("seed"));
        int count = parts.Int("values", Count == 0 ? 0 : 1, (int)Math.Min(Count, int.MaxValue));
        var stored = new ScaleTable(parts, count, "values", "scaleExponent");
        values = new float[count];
        stored.Read(0, values);
        CountBits(parts);
    }

    public override string Codec => "hashed";

    /// <summary>What a recipe's seed is to the hash.</summary>
    public static uint SeedOf(ulong seed) => (uint)(Signs.Word(seed, 0) >> 32);

    /// <summary>
    /// The hash of a weight's place: the finalizer of MurmurHash3 (Appleby, public domain) over that of the row and the column. The value is number (h · values) / 2^32, negative if the lowest bit is set.
    /// </summary>
    /// <param name="rowHash"><see cref="RowHash"/> of the row.</param>
    /// <param name="column">The column.</param>
    public static uint Hash(uint rowHash, int column) => Mixed(rowHash + (uint)column);

    /// <summary>The hash of a row.</summary>
    public static uint RowHash(uint seed, int row) => Mixed(seed + (uint)row);

    /// <summary>The index of a value.</summary>
    public static int Index(uint hash, int values) => (int)(((ulong)hash * (uint)values) >> 32);

    /// <summary>True if a weight is its value's negative.</summary>
    public static bool IsNegative(uint hash) => (hash & 1) != 0;

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination)
    {
        for (int row = 0; row < rowCount; row++)
        {
            Decode(firstRow + row, destination.Slice(row * Columns, Columns));
        }
    }

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated) =>
        BatchProduct.Multiply(kernel, new Panels(this), x, y, batch);

    private static uint Mixed(uint h)
    {
        h = (h ^ (h >> 16)) * 0x85EB_CA6B;
        h = (h ^ (h >> 13)) * 0xC2B2_AE35;
        return h ^ (h >> 16);
    }

    private void Decode(int row, Span<float> weights)
    {
        uint rowHash = RowHash(seed, row);
        for (int column = 0; column < weights.Length; column++)
        {
            uint hash = Hash(rowHash, column);
            weights[column] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(values[Index(hash, values.Length)]) ^ (hash << 31));
        }
    }

    private readonly record struct Panels(HashedTensor Tensor) : IRowPanels
    {
        public int Rows => Tensor.Rows;

        public int Columns => Tensor.Columns;

        public bool InPlace => false;

        public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
        {
            for (int row = 0; row < rowCount; row++)
            {
                Tensor.Decode(firstRow + row, buffer.Slice(row * stride, Columns));
            }

            return buffer;
        }
    }
}
