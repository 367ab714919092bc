using System.Buffers;
using Compress.Runtime.Kernels;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Keep;

/// <summary>
/// Products of a matrix that is stored element by element with one or many vectors. Floats whose rows are whole vectors of the kernel are
/// read in place; other rows are converted, a panel that stays in the cache at a time.
/// </summary>
internal sealed class KeepProduct(Kernel kernel, DType type, ByteView elements, int rows, int columns)
{
    /// <summary>Floats of a panel: half of a usual second-level cache.</summary>
    private const int PanelFloats = 32 * 1024;

    private bool InPlace => type == DType.F32 && columns % Kernel.LineUnit == 0;

    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>.</summary>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public void Multiply(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        int line = Kernel.LineLength(columns);
        if (line == columns)
        {
            Spread(x, y, batch);
            return;
        }

        float[] rented = ArrayPool<float>.Shared.Rent(checked(batch * line));
        var lines = rented.AsSpan(0, batch * line);
        lines.Clear(); // the ends of lines
        for (int b = 0; b < batch; b++)
        {
            x.Slice(b * columns, columns).CopyTo(lines[(b * line)..]);
        }

        Spread(lines, y, batch);
        ArrayPool<float>.Shared.Return(rented);
    }

    private void Spread(ReadOnlySpan<float> lines, Span<float> y, int batch) =>
        RowSpread.Run(rows, columns, batch, lines, y, new Work(this, batch));

    private void MultiplyRows(int firstRow, int rowCount, ReadOnlySpan<float> lines, Span<float> y, int batch)
    {
        int line = Kernel.LineLength(columns);
        int panelRows = Math.Clamp(PanelFloats / line / 4 * 4, 4, 64);
        float[] rented = InPlace ? [] : ArrayPool<float>.Shared.Rent(checked(panelRows * line));
        var panel = rented.AsSpan(0, InPlace ? 0 : panelRows * line);
        panel.Clear(); // the ends of lines
        for (int done = 0; done < rowCount; done += panelRows)
        {
            int row = firstRow + done;
            int count = Math.Min(panelRows, rowCount - done);
            var weights = InPlace ? elements.Slice<float>((long)row * columns, count * columns) : Convert(row, count, panel, line);
            kernel.MultiplyPanel(weights, count, lines, batch, line, y[row..], rows);
        }

        if (!InPlace)
        {
            ArrayPool<float>.Shared.Return(rented);
        }
    }

    private ReadOnlySpan<float> Convert(int row, int count, Span<float> panel, int line)
    {
        for (int r = 0; r < count; r++)
        {
            Elements.Read(type, elements, (long)(row + r) * columns, panel.Slice(r * line, columns));
        }

        return panel;
    }

    private readonly record struct Work(KeepProduct Product, int Batch) : IRowWork
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> lines, Span<float> y) =>
            Product.MultiplyRows(firstRow, rowCount, lines, y, Batch);
    }
}
