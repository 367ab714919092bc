using System.Buffers;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>Walks the rows of a <see cref="CodeMatrix"/>: the packed codes in place, scales and zero points read into rented memory.</summary>
internal ref struct RowCursor
{
    /// <summary>Unpacked codes may be read in whole vectors of at most so many bytes.</summary>
    public const int Padding = 64;

    private readonly CodeMatrix matrix;
    private readonly int groups;
    private readonly float[] scales;
    private readonly byte[] bytes; // zero points, then unpacked codes and their padding

    public RowCursor(CodeMatrix matrix)
    {
        this.matrix = matrix;
        groups = matrix.Groups;
        scales = ArrayPool<float>.Shared.Rent(groups);
        bytes = ArrayPool<byte>.Shared.Rent(groups + matrix.CodesPerRow + Padding);
        bytes.AsSpan(0, groups).Fill(matrix.FixedZero);
        bytes.AsSpan(groups + matrix.CodesPerRow, Padding).Clear();
    }

    /// <summary>The row's packed codes.</summary>
    public ReadOnlySpan<byte> Packed { get; private set; }

    /// <summary>The scale of each group.</summary>
    public readonly ReadOnlySpan<float> Scales => scales.AsSpan(0, groups);

    /// <summary>The zero point of each group.</summary>
    public readonly ReadOnlySpan<byte> Zeros => bytes.AsSpan(0, groups);

    public void MoveTo(int row)
    {
        Packed = matrix.Codes.Slice((long)row * matrix.RowBytes, matrix.RowBytes);
        long first = matrix.SharesScale ? 0 : (long)row * groups;
        matrix.Scales.Read(first, scales.AsSpan(0, groups));
        if (matrix.Zeros is { } zeros)
        {
            long count = matrix.SharesScale ? 1 : (long)matrix.Rows * groups;
            CodePacking.UnpackRange(zeros, matrix.Bits, count, first, bytes.AsSpan(0, groups));
        }
    }

    /// <summary>The row's codes, one a byte, followed by <see cref="Padding"/> zeros.</summary>
    public readonly ReadOnlySpan<byte> Unpack()
    {
        var codes = bytes.AsSpan(groups, matrix.CodesPerRow + Padding);
        CodePacking.Unpack(Packed, matrix.Bits, codes[..matrix.CodesPerRow]);
        return codes;
    }

    public readonly void Dispose()
    {
        ArrayPool<float>.Shared.Return(scales);
        ArrayPool<byte>.Shared.Return(bytes);
    }
}
