using Compress.Runtime.Kernels;

namespace Compress.Runtime.Codecs.KMeans;

/// <summary>Rows of codes, so many at a time with a codebook of their own.</summary>
/// <param name="kernel">What multiplies and decodes.</param>
/// <param name="matrices">The rows of each codebook; alike but for rows and values.</param>
/// <param name="share">Rows of a codebook; the last may have fewer.</param>
/// <param name="rows">All rows.</param>
/// <param name="columns">Of a row.</param>
internal readonly struct ValueRows(Kernel kernel, CodeMatrix[] matrices, int share, int rows, int columns) : IPackedRows
{
    public int Rows => rows;

    public int Columns => columns;

    public int ArrangedLength => kernel.ArrangedLength(matrices[0]);

    /// <summary>From this many vectors on rows are better unpacked.</summary>
    public int PanelBatch => kernel.PanelBatch(matrices[0]);

    public void Arrange(ReadOnlySpan<float> x, Span<float> arranged) => kernel.Arrange(matrices[0], x, arranged);

    public void Multiply(int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        for (int done = 0; done < y.Length;)
        {
            var (matrix, row, count) = Part(firstRow + done, y.Length - done);
            kernel.MultiplyRows(matrix, row, arranged, y.Slice(done, count));
            done += count;
        }
    }

    public void Decode(int firstRow, int rowCount, Span<float> weights, int stride)
    {
        for (int done = 0; done < rowCount;)
        {
            var (matrix, row, count) = Part(firstRow + done, rowCount - done);
            kernel.DecodeRows(matrix, row, count, weights[(done * stride)..], stride);
            done += count;
        }
    }

    // As many of the rows as have one codebook.
    private (CodeMatrix Matrix, int Row, int Count) Part(int firstRow, int rowCount)
    {
        var matrix = matrices[firstRow / share];
        int row = firstRow % share;
        return (matrix, row, Math.Min(rowCount, matrix.Rows - row));
    }
}
