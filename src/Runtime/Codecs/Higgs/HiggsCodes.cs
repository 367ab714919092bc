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
        plain = layout.IsPlain ? new(stored) : new(UnpackAll);
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
        ushort[] codes = ArrayPool<ushort>.Shared.Rent(stored.CodesPerRow);
        for (int row = 0; row < rowCount; row++)
        {
            Unpack(firstRow + row, codes.AsSpan(0, stored.CodesPerRow), rented.AsSpan(row * stored.RowBytes, stored.RowBytes));
        }

        kernel.DecodeRows(WithCodes(rented, firstRow, rowCount), 0, rowCount, weights, stored.Columns);
        ArrayPool<ushort>.Shared.Return(codes);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private CodeMatrix UnpackAll()
    {
        stored.Codes.Slice(0, 0); // a model that has been disposed says so here, and not on another thread
        int rowBytes = stored.RowBytes;
        byte[] bytes = new byte[stored.Rows * (long)rowBytes];
        Parallel.For(
            0, stored.Rows, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads }, () => new ushort[stored.CodesPerRow],
            (row, _, codes) =>
            {
                Unpack(row, codes, bytes.AsSpan(row * rowBytes, rowBytes));
                return codes;
            },
            _ => { });
        return WithCodes(bytes, 0, stored.Rows);
    }

    // A row's codes, plainly packed.
    private void Unpack(int row, Span<ushort> codes, Span<byte> packed)
    {
        layout.Unpack(stored.Codes.Slice(row * (long)storedBytes, storedBytes), codes);
        CodePacking.Pack(codes, stored.Bits, packed);
    }

    private CodeMatrix WithCodes(byte[] bytes, int firstRow, int rowCount) => new()
    {
        Rows = rowCount,
        Columns = stored.Columns,
        Bits = stored.Bits,
        GroupSize = stored.GroupSize,
        Codes = new(MappedBytes.FromArray(bytes), 0, rowCount * (long)stored.RowBytes),
        Scales = stored.Scales.From((long)firstRow * stored.Groups),
        Codebook = stored.Codebook,
    };
}
