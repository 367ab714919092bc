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

    /// <summary>The first row's first scale, among all that are stored: not 0 in a part of a row.</summary>
    public long FirstScale { get; init; }

    /// <summary>All scales that are stored.</summary>
    public long ScaleCount { get => field == 0 ? (long)Rows * Groups : field; init; }

    /// <summary>Scales of a row.</summary>
    public int Groups => GroupCount(Columns, GroupSize);

    /// <summary>Codes of a row: an odd last column has a code of its own.</summary>
    public int CodesPerRow => CodeCount(Columns, Codebook.Dimension);

    /// <summary>Bytes of a row of codes.</summary>
    public int RowBytes => (int)CodePacking.RowBytes(CodesPerRow, Bits);

    /// <summary>Some columns of a matrix of one row.</summary>
    /// <param name="first">The first: a strip of codes and a group begin with it.</param>
    /// <param name="count">How many: whole strips, or all up to the end.</param>
    public CodeMatrix Part(int first, int count) => new()
    {
        Rows = 1,
        Columns = count,
        Bits = Bits,
        Codebook = Codebook,
        Codes = Codes.From((long)first / CodePacking.StripCodes * CodePacking.StripBytes(Bits)),
        GroupSize = GroupSize,
        Scales = Scales,
        SharesScale = SharesScale,
        Zeros = Zeros,
        FixedZero = FixedZero,
        FirstScale = SharesScale ? 0 : first / GroupSize,
        ScaleCount = ScaleCount,
    };

    /// <summary>Scales of a row of <paramref name="columns"/> columns.</summary>
    public static int GroupCount(int columns, int groupSize) => (int)(((long)columns + groupSize - 1) / groupSize);

    /// <summary>Codes of a row of <paramref name="columns"/> columns.</summary>
    public static int CodeCount(int columns, int dimension) => (int)(((long)columns + dimension - 1) / dimension);
}
