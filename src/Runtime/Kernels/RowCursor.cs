using System.Buffers;
using System.Runtime.CompilerServices;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Walks rows of a <see cref="CodeMatrix"/>: packed codes in place, scales and zero points read into rented memory, for several short
/// rows at once.
/// </summary>
internal ref struct RowCursor
{
    /// <summary>Unpacked codes may be read in whole vectors of at most so many bytes.</summary>
    public const int Padding = 64;

    private const int ChunkScales = 512;
    private const int ChunkBytes = 16 * 1024;

    private readonly CodeMatrix matrix;
    private readonly int chunkRows;
    private readonly float[] scales; // [chunkRows, groups]
    private readonly byte[] bytes;   // zero points, [chunkRows, groups]; then unpacked codes and their padding
    private int firstRow;
    private int row;                 // in the chunk
    private int endRow;
    private ReadOnlySpan<byte> packed;

    public RowCursor(CodeMatrix matrix)
    {
        this.matrix = matrix;
        (Groups, CodeCount, RowBytes) = (matrix.Groups, matrix.CodesPerRow, matrix.RowBytes);
        chunkRows = Math.Max(1, Math.Min(ChunkScales / Groups, ChunkBytes / RowBytes));
        scales = ArrayPool<float>.Shared.Rent(chunkRows * Groups);
        bytes = ArrayPool<byte>.Shared.Rent((chunkRows * Groups) + CodeCount + Padding);
        bytes.AsSpan(0, chunkRows * Groups).Fill(matrix.FixedZero);
        bytes.AsSpan((chunkRows * Groups) + CodeCount, Padding).Clear();
    }

    /// <summary>Groups of a row.</summary>
    public int Groups { get; }

    /// <summary>Codes of a row.</summary>
    public int CodeCount { get; }

    /// <summary>Bytes of a packed row.</summary>
    public int RowBytes { get; }

    /// <summary>The row's packed codes.</summary>
    public readonly ReadOnlySpan<byte> Packed => packed.Slice(row * RowBytes, RowBytes);

    /// <summary>The scale of each group.</summary>
    public readonly ReadOnlySpan<float> Scales => scales.AsSpan(row * Groups, Groups);

    /// <summary>The zero point of each group.</summary>
    public readonly ReadOnlySpan<byte> Zeros => bytes.AsSpan(row * Groups, Groups);

    /// <summary>Room for the row's codes, one a byte, followed by <see cref="Padding"/> zeros.</summary>
    public readonly Span<byte> Unpacked => bytes.AsSpan(chunkRows * Groups, CodeCount + Padding);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void MoveTo(int index)
    {
        if (index < firstRow || index >= endRow)
        {
            ReadChunk(index);
        }

        row = index - firstRow;
    }

    public readonly void Dispose()
    {
        ArrayPool<float>.Shared.Return(scales);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private void ReadChunk(int start)
    {
        int rows = Math.Min(chunkRows, matrix.Rows - start);
        (firstRow, endRow) = (start, start + rows);
        packed = matrix.Codes.Slice((long)start * RowBytes, rows * RowBytes);
        if (!matrix.SharesScale)
        {
            Read(matrix.FirstScale + ((long)start * Groups), matrix.ScaleCount, rows * Groups);
            return;
        }

        Read(0, 1, 1);
        scales.AsSpan(0, rows).Fill(scales[0]);
        bytes.AsSpan(0, rows).Fill(bytes[0]);
    }

    private readonly void Read(long first, long all, int count)
    {
        matrix.Scales.Read(first, scales.AsSpan(0, count));
        if (matrix.Zeros is { } zeros)
        {
            CodePacking.UnpackRange(zeros, matrix.Bits, all, first, bytes.AsSpan(0, count));
        }
    }
}
