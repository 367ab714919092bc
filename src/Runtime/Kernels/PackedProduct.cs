using System.Buffers;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Products of a <see cref="CodeMatrix"/> with one or many vectors. Few vectors are multiplied straight from the codes;
/// for many, panels of rows are unpacked once and stay in the cache. Rows are spread over threads if there is enough to do.
/// A row's result does not depend on how rows are spread.
/// </summary>
internal static unsafe class PackedProduct
{
    /// <summary>Floats of a panel: half of a usual second-level cache.</summary>
    private const int PanelFloats = 32 * 1024;

    private const int CacheLine = 64;
    private const int CacheLineFloats = CacheLine / sizeof(float);

    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>.</summary>
    /// <param name="kernel">What computes it.</param>
    /// <param name="matrix">The weights, [rows, columns].</param>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public static void Multiply(Kernel kernel, CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        bool panels = batch >= kernel.PanelBatch(matrix);
        int line = panels ? Kernel.LineLength(matrix.Columns) : kernel.ArrangedLength(matrix);
        float[] rented = ArrayPool<float>.Shared.Rent(checked((batch * line) + CacheLineFloats));
        fixed (float* pinned = rented)
        {
            // Lines are whole cache lines long; if they begin on one, no vector that is loaded from them lies on two.
            nuint start = ((nuint)pinned + CacheLine - 1) / CacheLine * CacheLine;
            var lines = new Span<float>((float*)start, batch * line);
            for (int b = 0; b < batch; b++)
            {
                var from = x.Slice(b * matrix.Columns, matrix.Columns);
                var to = lines.Slice(b * line, line);
                if (panels)
                {
                    from.CopyTo(to);
                    to[from.Length..].Clear();
                }
                else
                {
                    kernel.Arrange(matrix, from, to);
                }
            }

            var work = new Work(kernel, matrix, batch, line, panels);
            RowSpread.Run(matrix.Rows, matrix.Columns, batch, lines, y, work);
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    private readonly record struct Work(Kernel Kernel, CodeMatrix Matrix, int Batch, int Line, bool Panels) : IRowWork
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> lines, Span<float> y)
        {
            if (!Panels)
            {
                for (int b = 0; b < Batch; b++)
                {
                    Kernel.MultiplyRows(Matrix, firstRow, lines.Slice(b * Line, Line), y.Slice((b * Matrix.Rows) + firstRow, rowCount));
                }

                return;
            }

            int panelRows = Math.Clamp(PanelFloats / Line / 4 * 4, 4, 64);
            float[] rented = ArrayPool<float>.Shared.Rent(checked(panelRows * Line));
            var panel = rented.AsSpan(0, panelRows * Line);
            panel.Clear(); // the ends of lines
            for (int done = 0; done < rowCount; done += panelRows)
            {
                int rows = Math.Min(panelRows, rowCount - done);
                Kernel.DecodeRows(Matrix, firstRow + done, rows, panel, Line);
                Kernel.MultiplyPanel(panel, rows, lines, Batch, Line, y[(firstRow + done)..], Matrix.Rows);
            }

            ArrayPool<float>.Shared.Return(rented);
        }
    }
}
