using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// A matrix of packed codes with a scale, and for integer codebooks a zero point, for each group of consecutive columns of a row:
/// <c>weight = scale · codebook[code]</c>, in that one rounding. What codecs of this form hand to the kernels.
/// </summary>
internal sealed class CodeMatrix
{
    public required int Rows { get; init; }

    public required int Columns { get; init; }

    /// <summary>Bits of a code.</summary>
    public required int Bits { get; init; }

    public required Codebook Codebook { get; init; }

    /// <summary>The packed codes: <see cref="Rows"/> rows of <see cref="RowBytes"/> bytes.</summary>
    public required ByteView Codes { get; init; }

    /// <summary>Columns that share a scale, a multiple of a point's coordinates; the last group of a row may have fewer.</summary>
    public required int GroupSize { get; init; }

    public required ScaleTable Scales { get; init; }

    /// <summary>True if one scale serves all rows.</summary>
    public bool SharesScale { get; init; }

    /// <summary>The packed zero points, one for each scale; null if all are <see cref="FixedZero"/>.</summary>
    public ByteView? Zeros { get; init; }

    /// <summary>The zero point of all groups, if none are stored.</summary>
    public byte FixedZero { get; init; }

    /// <summary>Scales of a row.</summary>
    public int Groups => GroupCount(Columns, GroupSize);

    /// <summary>Codes of a row: an odd last column has a code of its own.</summary>
    public int CodesPerRow => CodeCount(Columns, Codebook.Dimension);

    /// <summary>Bytes of a row of codes.</summary>
    public int RowBytes => (int)CodePacking.RowBytes(CodesPerRow, Bits);

    /// <summary>Scales of a row of <paramref name="columns"/> columns.</summary>
    public static int GroupCount(int columns, int groupSize) => (int)(((long)columns + groupSize - 1) / groupSize);

    /// <summary>Codes of a row of <paramref name="columns"/> columns.</summary>
    public static int CodeCount(int columns, int dimension) => (int)(((long)columns + dimension - 1) / dimension);
}
