using System.Buffers;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Products of a <see cref="CodeMatrix"/> with one or many vectors. Few vectors are multiplied straight from the codes;
/// for many, panels of rows are unpacked once and stay in the cache. Rows are spread over threads if there is enough to do.
/// A row's result does not depend on how rows are spread.
/// </summary>
internal static unsafe class PackedProduct
{
    /// <summary>Weights times vectors below which a second thread costs more than it saves; see bench/results.</summary>
    internal const long ParallelThreshold = 1 << 18;

    /// <summary>From this many vectors on, unpacking rows pays; see bench/results.</summary>
    internal const int PanelBatch = 4;

    /// <summary>Floats of a panel: half of a usual second-level cache.</summary>
    private const int PanelFloats = 32 * 1024;

    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>.</summary>
    /// <param name="kernel">What computes it.</param>
    /// <param name="matrix">The weights, [rows, columns].</param>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public static void Multiply(Kernel kernel, CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        bool panels = batch >= PanelBatch;
        int line = panels ? Kernel.LineLength(matrix.Columns) : kernel.ArrangedLength(matrix);
        float[] rented = ArrayPool<float>.Shared.Rent(checked(batch * line));
        var lines = rented.AsSpan(0, batch * line);
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
        int threads = (double)matrix.Rows * matrix.Columns * batch < ParallelThreshold ? 1 : Math.Min(RuntimeOptions.MaxThreads, matrix.Rows);
        if (threads == 1)
        {
            work.Run(0, matrix.Rows, lines, y);
        }
        else
        {
            Spread(work, threads, lines, y);
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    private static void Spread(Work work, int threads, ReadOnlySpan<float> lines, Span<float> y)
    {
        // Four parts a thread even out a busy machine; multiples of four rows fill the blocks of panels.
        int rows = work.Matrix.Rows;
        int part = (((rows + (4 * threads) - 1) / (4 * threads)) + 3) / 4 * 4;
        fixed (float* pinnedLines = lines, pinnedY = y)
        {
            float* fromLines = pinnedLines, toY = pinnedY;
            (int lineCount, int yCount) = (lines.Length, y.Length);
            Parallel.For(0, (rows + part - 1) / part, new ParallelOptions { MaxDegreeOfParallelism = threads }, index =>
            {
                int first = index * part;
                work.Run(first, Math.Min(part, rows - first), new(fromLines, lineCount), new(toY, yCount));
            });
        }
    }

    private readonly record struct Work(Kernel Kernel, CodeMatrix Matrix, int Batch, int Line, bool Panels)
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
