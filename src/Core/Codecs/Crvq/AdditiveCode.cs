using Compress.Runtime;

namespace Compress.Core.Codecs.Crvq;

/// <summary>
/// A matrix as sums of codebooks' vectors while it is being encoded: <c>w = unit · (t Σ_m C_m[code_m])</c> for each group of a row. Rows have been divided by
/// their units (root mean squares), so that <see cref="Values"/> are near 1.
/// </summary>
internal sealed class AdditiveCode
{
    /// <summary>Rows that are worked on together.</summary>
    public const int PanelRows = 64;

    /// <param name="values">The normalized rows, <c>[rows, groups · groupSize]</c>.</param>
    /// <param name="weights">What errors of each row count; zero of rows that are zero.</param>
    /// <param name="groups">Groups of a row.</param>
    /// <param name="critical">How many of them have a vector of every codebook: the first.</param>
    /// <param name="groupSize">Columns of a group.</param>
    /// <param name="entries">Vectors of each codebook.</param>
    public AdditiveCode(float[] values, double[] weights, int groups, int critical, int groupSize, IReadOnlyList<int> entries)
    {
        (Values, Weights, Groups, Critical, GroupSize) = (values, weights, groups, critical, groupSize);
        Rows = weights.Length;
        Errors = (float[])values.Clone();
        Scales = new float[Rows];
        Array.Fill(Scales, 1);
        Codes = [.. entries.Select((_, book) => new byte[checked(Rows * GroupsOf(book))])];
        Books = [.. entries.Select(count => new float[count * groupSize])];
    }

    /// <summary>Rows.</summary>
    public int Rows { get; }

    /// <summary>Groups of a row.</summary>
    public int Groups { get; }

    /// <summary>Groups that have a vector of every codebook.</summary>
    public int Critical { get; }

    /// <summary>Columns of a group.</summary>
    public int GroupSize { get; }

    /// <summary>Columns, filled up to whole groups.</summary>
    public int Columns => Groups * GroupSize;

    /// <summary>What is encoded, <c>[Rows, Columns]</c>.</summary>
    public float[] Values { get; }

    /// <summary>What is left of <see cref="Values"/>.</summary>
    public float[] Errors { get; }

    /// <summary>What errors of a row count.</summary>
    public double[] Weights { get; }

    /// <summary>t of each row.</summary>
    public float[] Scales { get; }

    /// <summary>Of each codebook, the codes: <c>[Rows, GroupsOf(book)]</c>.</summary>
    public byte[][] Codes { get; }

    /// <summary>Of each codebook, the vectors: <c>[entries, GroupSize]</c>.</summary>
    public float[][] Books { get; }

    /// <summary>How many groups of a row have a vector of a codebook.</summary>
    public int GroupsOf(int book) => book == 0 ? Groups : Critical;

    /// <summary>How many codebooks have a vector for a group.</summary>
    public int BooksOf(int group) => group < Critical ? Books.Length : 1;

    /// <summary>Sums of vectors of a row, of these codebooks or others of their shape.</summary>
    /// <param name="books">Such as <see cref="Books"/>.</param>
    /// <param name="row">The row.</param>
    /// <param name="sums">Receives <see cref="Columns"/> floats.</param>
    public void Decode(float[][] books, int row, Span<float> sums)
    {
        sums.Clear();
        for (int book = 0; book < books.Length; book++)
        {
            int groups = GroupsOf(book);
            var codes = Codes[book].AsSpan(row * groups, groups);
            for (int group = 0; group < groups; group++)
            {
                var vector = books[book].AsSpan(codes[group] * GroupSize, GroupSize);
                var sum = sums.Slice(group * GroupSize, GroupSize);
                for (int k = 0; k < vector.Length; k++)
                {
                    sum[k] += vector[k];
                }
            }
        }
    }

    /// <summary>Computes <see cref="Errors"/> anew.</summary>
    public void UpdateErrors(CancellationToken cancellationToken) => ForPanels((firstRow, count) =>
    {
        for (int row = firstRow; row < firstRow + count; row++)
        {
            var error = Errors.AsSpan(row * Columns, Columns);
            Decode(Books, row, error);
            for (int j = 0; j < error.Length; j++)
            {
                error[j] = Values[(row * Columns) + j] - (Scales[row] * error[j]);
            }
        }
    }, cancellationToken);

    /// <summary>Works on all rows, some at a time, on several threads. Rows must not depend on each other.</summary>
    /// <param name="action">Given the first row and how many.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public void ForPanels(Action<int, int> action, CancellationToken cancellationToken) => Parallel.For(
        0, (Rows + PanelRows - 1) / PanelRows, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads, CancellationToken = cancellationToken },
        panel => action(panel * PanelRows, Math.Min(PanelRows, Rows - (panel * PanelRows))));
}
