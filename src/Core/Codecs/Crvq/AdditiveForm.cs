using Compress.Core.Numerics;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Crvq;

namespace Compress.Core.Codecs.Crvq;

/// <summary>How a matrix is divided among codebooks, and how many bytes that takes; docs/codecs/crvq.md, Size.</summary>
internal sealed record AdditiveForm
{
    /// <summary>Vectors that train one of a codebook, on average, at least, if that leaves <see cref="FewEntries"/>.</summary>
    internal const int VectorsOfEntry = 4, FewEntries = 16;

    private readonly int rows;
    private readonly int groupSize;

    /// <param name="rows">Rows of the matrix.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="groupSize">Columns of a group.</param>
    /// <param name="codebooks">Codebooks, if there are groups that have all.</param>
    /// <param name="codebookBits">A codebook has at most 2^codebookBits vectors.</param>
    /// <param name="critical">Groups that have a vector of each codebook, and come first; null if all do, and keep their order.</param>
    public AdditiveForm(int rows, int columns, int groupSize, int codebooks, int codebookBits, int? critical)
    {
        (this.rows, this.groupSize) = (rows, groupSize);
        Groups = (columns + groupSize - 1) / groupSize;
        Critical = critical ?? Groups;
        int count = Critical == 0 ? 1 : codebooks;
        Entries = [.. Enumerable.Range(0, count).Select(book => EntriesOf(codebookBits, (long)rows * (book == 0 ? Groups : Critical)))];
        Bytes = RowBytes(Groups, Entries[0]) + ((count - 1) * RowBytes(Critical, Entries[^1]))
            + (2L * groupSize * Entries.Sum()) + (2L * rows) + (critical is null ? 0 : (long)Critical * groupSize * (columns <= 1 << 16 ? sizeof(ushort) : sizeof(uint)));
    }

    /// <summary>Groups of a row.</summary>
    public int Groups { get; }

    /// <summary>How many of them have a vector of every codebook.</summary>
    public int Critical { get; }

    /// <summary>Vectors of each codebook.</summary>
    public IReadOnlyList<int> Entries { get; }

    /// <summary>What is stored: codes, codebooks, scales, and the order of columns.</summary>
    public long Bytes { get; }

    /// <summary>
    /// The part of a critical group's error that stays, and of another group's. A codebook of n vectors for g weights leaves n^(−1.6 / g), and each after it 3.5 % more than the one before:
    /// 0.330, 0.341, 0.353 and 0.366 for 256 and 8, where k-means leaves 0.324, 0.327, 0.343 and 0.357 of normal weights.
    /// </summary>
    public (double Critical, double Others) Remaining()
    {
        double others = Elementary.Pow(Entries[0], -1.6 / groupSize), critical = others, more = 1;
        for (int book = 1; book < Entries.Count; book++)
        {
            more *= 1.035;
            critical *= more * Elementary.Pow(Entries[book], -1.6 / groupSize);
        }

        return (critical, others);
    }

    /// <summary>Vectors of a codebook that may have 2^bits, of so many groups.</summary>
    public static int EntriesOf(int bits, long groups) => (int)Math.Clamp(Math.Min(1 << bits, Math.Max(FewEntries, groups / VectorsOfEntry)), 1, Math.Max(groups, 1));

    private long RowBytes(int groups, int entries) => rows * CodePacking.RowBytes(groups, AdditiveCodes.CodeBits(entries));
}
