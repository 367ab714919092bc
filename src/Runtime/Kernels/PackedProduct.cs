namespace Compress.Runtime.Kernels;

/// <summary>
/// Products of a <see cref="CodeMatrix"/> with one or many vectors. Few vectors are multiplied straight from the codes;
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
    public static void Multiply(Kernel kernel, CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        if (batch >= kernel.PanelBatch(matrix))
        {
            BatchProduct.Multiply(kernel, new Panels(kernel, matrix), x, y, batch);
            return;
        }

        int line = kernel.ArrangedLength(matrix);
        using var lines = new Scratch(batch, line);
        for (int b = 0; b < batch; b++)
        {
            kernel.Arrange(matrix, x.Slice(b * matrix.Columns, matrix.Columns), lines.Span.Slice(b * line, line));
        }

        RowSpread.Run(matrix.Rows, matrix.Columns, batch, lines.Span, y, new FromCodes(kernel, matrix, batch, line));
    }

    private readonly record struct FromCodes(Kernel Kernel, CodeMatrix Matrix, int Batch, int Line) : IRowWork
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> lines, Span<float> y)
        {
            for (int b = 0; b < Batch; b++)
            {
                Kernel.MultiplyRows(Matrix, firstRow, lines.Slice(b * Line, Line), y.Slice((b * Matrix.Rows) + firstRow, rowCount));
            }
        }
    }

    private readonly record struct Panels(Kernel Kernel, CodeMatrix Matrix) : IRowPanels
    {
        public int Rows => Matrix.Rows;

        public int Columns => Matrix.Columns;

        public bool InPlace => false;

        public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
        {
            Kernel.DecodeRows(Matrix, firstRow, rowCount, buffer, stride);
            return buffer;
        }
    }
}
