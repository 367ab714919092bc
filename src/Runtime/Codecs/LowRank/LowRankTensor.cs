using System.Buffers;
using System.Numerics;
using Compress.Runtime.Numerics;

namespace Compress.Runtime.Codecs.LowRank;

/// <summary>
/// A matrix as the product of two thin ones, <c>2^scaleExponent · left · right</c> with left [rows, rank] and right [rank, columns], to which a matrix that is
/// packed in any way, <c>base</c>, may be added. All are parts that are packed by themselves.
/// </summary>
internal sealed class LowRankTensor : PackedTensor
{
    // Rows of the right factor that are unpacked at a time.
    private const int RowsAtOnce = 32;

    private readonly int rank;
    private readonly float scale;
    private readonly PackedTensor left, right;
    private readonly PackedTensor? corrected;

    public LowRankTensor(PackedParts parts)
        : base(parts)
    {
        rank = parts.Int("rank", 0, Math.Min(Rows, Columns));
        scale = MathF.ScaleB(1, parts.Int("scaleExponent", -126, 126));
        corrected = parts.Bool("residual") ? parts.Matrix("base", Rows, Columns) : null;
        left = parts.Matrix("left", Rows, rank);
        right = parts.Matrix("right", rank, Columns);
        CountBits(parts);
    }

    public override string Codec => "lowrank";

    // Products are rounded before they are added, in the order of the rank: the same bits with vectors of any width.
    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination)
    {
        float[] factors = ArrayPool<float>.Shared.Rent(checked(rowCount * rank));
        float[] values = ArrayPool<float>.Shared.Rent(checked(RowsAtOnce * Columns));
        left.DequantizeRows(firstRow, rowCount, factors);
        destination.Clear();
        for (int first = 0; first < rank; first += RowsAtOnce)
        {
            int count = Math.Min(RowsAtOnce, rank - first);
            right.DequantizeRows(first, count, values);
            for (int row = 0; row < rowCount; row++)
            {
                for (int k = 0; k < count; k++)
                {
                    AddProduct(factors[(row * rank) + first + k], values.AsSpan(k * Columns, Columns), destination.Slice(row * Columns, Columns));
                }
            }
        }

        for (int row = 0; row < rowCount; row++)
        {
            var sums = destination.Slice(row * Columns, Columns);
            var added = values.AsSpan(0, Columns);
            added.Clear();
            corrected?.DequantizeRows(firstRow + row, 1, added);
            AddProduct(scale, sums, added);
            added.CopyTo(sums);
        }

        ArrayPool<float>.Shared.Return(values);
        ArrayPool<float>.Shared.Return(factors);
    }

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(Math.Max(checked(batch * rank), corrected is null ? 0 : y.Length));
        var inner = rented.AsSpan(0, batch * rank);
        right.Multiply(x, inner, batch, ref rotated);
        foreach (ref float value in inner)
        {
            value *= scale;
        }

        left.Multiply(inner, y, batch);
        if (corrected is not null)
        {
            var others = rented.AsSpan(0, y.Length);
            corrected.Multiply(x, others, batch, ref rotated);
            AddProduct(1, others, y);
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    private static void AddProduct(float factor, ReadOnlySpan<float> values, Span<float> sums)
    {
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (new Vector<float>(sums[i..]) + (new Vector<float>(values[i..]) * factor)).CopyTo(sums[i..]);
        }

        for (; i < values.Length; i++)
        {
            sums[i] += values[i] * factor;
        }
    }
}
