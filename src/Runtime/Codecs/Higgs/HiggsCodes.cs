using System.Buffers;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Codecs.Higgs;

/// <summary>
/// The codes of a matrix. Kernels read plain ones; codes of mixed radix (<see cref="CodeLayout"/>) become plain when they are needed: for rows that are decoded, a few at a time; all of them,
/// and for good, with the first product, which then is as fast as any. That takes memory: ceil(log2 n) bits a code.
/// </summary>
internal sealed class HiggsCodes
{
    private readonly CodeLayout layout;
    private readonly CodeMatrix stored; // its codes in that layout
    private readonly Lazy<CodeMatrix> plain;
    private readonly int storedBytes;   // of a row

    public HiggsCodes(PackedParts parts, CodeLayout layout, CodeMatrix stored)
    {
        (this.layout, this.stored) = (layout, stored);
        plain = layout.IsPlain ? new(stored) : new(() => ToPlain(0, stored.Rows, new byte[stored.Rows * (long)stored.RowBytes], RuntimeOptions.MaxThreads));
        if (layout.IsPlain)
        {
            return;
        }

        storedBytes = checked((int)layout.RowBytes(stored.CodesPerRow));
        if (stored.Rows * (long)stored.RowBytes > Array.MaxLength)
        {
            throw parts.Bad($"{stored.Rows} rows of {stored.CodesPerRow} codes with {layout.N} values, which is no power of two: more than 2 GiB");
        }
    }

    /// <summary>The matrix with plain codes.</summary>
    public CodeMatrix Plain => plain.Value;

    /// <summary>Unpacks rows.</summary>
    /// <param name="kernel">What does it.</param>
    /// <param name="firstRow">The first.</param>
    /// <param name="rowCount">How many: few enough to be unpacked at once.</param>
    /// <param name="weights">[rowCount, columns].</param>
    public void Decode(Kernel kernel, int firstRow, int rowCount, Span<float> weights)
    {
        if (plain.IsValueCreated)
        {
            kernel.DecodeRows(plain.Value, firstRow, rowCount, weights, stored.Columns);
            return;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(rowCount * stored.RowBytes);
        kernel.DecodeRows(ToPlain(firstRow, rowCount, rented, 1), 0, rowCount, weights, stored.Columns);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private CodeMatrix ToPlain(int firstRow, int rowCount, byte[] bytes, int threads)
    {
        int count = stored.CodesPerRow, rowBytes = stored.RowBytes;
        Parallel.For(
            0, rowCount, new ParallelOptions { MaxDegreeOfParallelism = threads }, () => new ushort[count],
            (row, _, codes) =>
            {
                layout.Unpack(stored.Codes.Slice((firstRow + row) * (long)storedBytes, storedBytes), codes);
                CodePacking.Pack(codes, stored.Bits, bytes.AsSpan(row * rowBytes, rowBytes));
                return codes;
            },
            _ => { });
        return new()
        {
            Rows = rowCount,
            Columns = stored.Columns,
            Bits = stored.Bits,
            GroupSize = stored.GroupSize,
            Codes = new(MappedBytes.FromArray(bytes), 0, rowCount * (long)rowBytes),
            Scales = stored.Scales.From((long)firstRow * stored.Groups),
            Codebook = stored.Codebook,
        };
    }
}
