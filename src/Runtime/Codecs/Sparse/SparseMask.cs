namespace Compress.Runtime.Codecs.Sparse;

/// <summary>Where the kept weights of a matrix are, as it is held in memory: the columns of each row's where these are few, else a bit for each weight.</summary>
internal sealed class SparseMask
{
    /// <summary>
    /// Below this part of weights that are kept, columns are listed, in 16 bits each: products with single vectors then take less than half the time of unpacking rows. They are faster up to
    /// about a half too, but by less, and for more memory.
    /// </summary>
    public const double MaxListed = 0.25;

    private readonly int[] starts;
    private readonly ushort[]? columns;
    private readonly ByteView bitmap;

    private SparseMask(int rows, int columnCount, int[] starts, ushort[]? columns, ByteView bitmap) =>
        (Rows, Columns, this.starts, this.columns, this.bitmap) = (rows, columnCount, starts, columns, bitmap);

    /// <summary>Rows of the matrix.</summary>
    public int Rows { get; }

    /// <summary>Columns of the matrix.</summary>
    public int Columns { get; }

    /// <summary>True if columns are listed.</summary>
    public bool IsListed => columns is not null;

    /// <summary>What it takes in memory.</summary>
    public long Bytes => ((long)starts.Length * sizeof(int)) + (columns is null ? bitmap.Length : (long)columns.Length * sizeof(ushort));

    /// <summary>True if so many kept weights are better listed.</summary>
    public static bool Lists(long weights, int columns, int kept) => columns <= ushort.MaxValue + 1 && kept < MaxListed * weights;

    /// <summary>A mask of listed columns.</summary>
    /// <param name="columns">Columns of the matrix.</param>
    /// <param name="starts">As <see cref="Start"/> gives it, with the end.</param>
    /// <param name="listed">The columns, row after row.</param>
    public static SparseMask Of(int columns, int[] starts, ushort[] listed) => new(starts.Length - 1, columns, starts, listed, default);

    /// <summary>A mask of bits.</summary>
    /// <param name="columns">Columns of the matrix.</param>
    /// <param name="starts">As <see cref="Start"/> gives it, with the end.</param>
    /// <param name="bitmap">A bit for each weight, row-major, from the lowest of each byte.</param>
    public static SparseMask Of(int columns, int[] starts, ByteView bitmap) => new(starts.Length - 1, columns, starts, null, bitmap);

    /// <summary>How many weights are kept before a row.</summary>
    public int Start(int row) => starts[row];

    /// <summary>The columns of a row's kept weights, if they are listed.</summary>
    public ReadOnlySpan<ushort> Listed(int row) => columns.AsSpan(starts[row], starts[row + 1] - starts[row]);

    /// <summary>Puts the kept weights of a row to their places, and zeros between them.</summary>
    /// <param name="row">The row.</param>
    /// <param name="values">Its kept weights, and <see cref="Expansion.Padding"/> floats more.</param>
    /// <param name="line">Receives the row.</param>
    /// <param name="vectors">False to do without vectors.</param>
    public void Expand(int row, ReadOnlySpan<float> values, Span<float> line, bool vectors)
    {
        if (columns is null)
        {
            long first = (long)row * Columns;
            Expansion.Expand(bitmap.Slice(first / 8, (int)(((first + Columns + 7) / 8) - (first / 8))), (int)(first % 8), values, line, vectors);
            return;
        }

        line.Clear();
        var listed = Listed(row);
        for (int i = 0; i < listed.Length; i++)
        {
            line[listed[i]] = values[i];
        }
    }
}
