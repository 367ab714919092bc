namespace Compress.Runtime.Kernels;

/// <summary>A packed matrix and the loops that read it. A struct, so that a product on one thread allocates nothing.</summary>
internal interface IPackedRows
{
    int Rows { get; }

    int Columns { get; }

    /// <summary>Floats that <see cref="Arrange"/> writes.</summary>
    int ArrangedLength { get; }

    /// <summary>Brings a vector into the form in which <see cref="Multiply"/> reads it.</summary>
    void Arrange(ReadOnlySpan<float> x, Span<float> arranged);

    /// <summary>The products of <c>y.Length</c> rows with an arranged vector.</summary>
    void Multiply(int firstRow, ReadOnlySpan<float> arranged, Span<float> y);

    /// <summary>Unpacks rows into lines of <paramref name="stride"/> floats.</summary>
    void Decode(int firstRow, int rowCount, Span<float> weights, int stride);
}

/// <summary>
/// Products of a packed matrix with one or many vectors. Few vectors are multiplied straight from the codes;
/// for many, panels of rows are unpacked once. Rows are spread over threads if there is enough to do.
/// A row's result does not depend on how rows are spread.
/// </summary>
internal static class PackedProduct
{
    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>.</summary>
    /// <param name="kernel">What computes it.</param>
    /// <param name="matrix">The weights, [rows, columns].</param>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public static void Multiply(Kernel kernel, CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> y, int batch) =>
        Multiply(kernel, new CodeRows(kernel, matrix), kernel.PanelBatch(matrix), x, y, batch);

    /// <summary>The same for any packed matrix.</summary>
    /// <param name="kernel">What multiplies unpacked rows.</param>
    /// <param name="rows">The weights, [rows, columns].</param>
    /// <param name="panelBatch">From this many vectors on rows are unpacked.</param>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public static void Multiply<TRows>(Kernel kernel, TRows rows, int panelBatch, ReadOnlySpan<float> x, Span<float> y, int batch)
        where TRows : struct, IPackedRows
    {
        if (batch >= panelBatch)
        {
            BatchProduct.Multiply(kernel, new Panels<TRows>(rows), x, y, batch);
            return;
        }

        int line = rows.ArrangedLength;
        using var lines = new Scratch(batch, line);
        for (int b = 0; b < batch; b++)
        {
            rows.Arrange(x.Slice(b * rows.Columns, rows.Columns), lines.Span.Slice(b * line, line));
        }

        RowSpread.Run(rows.Rows, rows.Columns, batch, lines.Span, y, new FromCodes<TRows>(rows, batch, line));
    }

    private readonly record struct CodeRows(Kernel Kernel, CodeMatrix Matrix) : IPackedRows
    {
        public int Rows => Matrix.Rows;

        public int Columns => Matrix.Columns;

        public int ArrangedLength => Kernel.ArrangedLength(Matrix);

        public void Arrange(ReadOnlySpan<float> x, Span<float> arranged) => Kernel.Arrange(Matrix, x, arranged);

        public void Multiply(int firstRow, ReadOnlySpan<float> arranged, Span<float> y) => Kernel.MultiplyRows(Matrix, firstRow, arranged, y);

        public void Decode(int firstRow, int rowCount, Span<float> weights, int stride) => Kernel.DecodeRows(Matrix, firstRow, rowCount, weights, stride);
    }

    private readonly record struct FromCodes<TRows>(TRows Source, int Batch, int Line) : IRowWork
        where TRows : struct, IPackedRows
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> lines, Span<float> y)
        {
            for (int b = 0; b < Batch; b++)
            {
                Source.Multiply(firstRow, lines.Slice(b * Line, Line), y.Slice((b * Source.Rows) + firstRow, rowCount));
            }
        }
    }

    private readonly record struct Panels<TRows>(TRows Source) : IRowPanels
        where TRows : struct, IPackedRows
    {
        public int Rows => Source.Rows;

        public int Columns => Source.Columns;

        public bool InPlace => false;

        public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
        {
            Source.Decode(firstRow, rowCount, buffer, stride);
            return buffer;
        }
    }
}
