namespace Compress.Runtime.Kernels;

/// <summary>The rows of a matrix, unpacked a few at a time. A struct, so that a product on one thread allocates nothing.</summary>
internal interface IRowPanels
{
    int Rows { get; }

    int Columns { get; }

    /// <summary>True if rows are floats already, and need no buffer.</summary>
    bool InPlace { get; }

    /// <summary>Rows as floats, <see cref="Columns"/> apart in place or <paramref name="stride"/> apart in the buffer.</summary>
    ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride);
}

/// <summary>
/// Products of a matrix with a batch of vectors: panels of rows are unpacked once and stay in the cache. Rows are spread over threads if there is
/// enough to do; results do not depend on how.
/// </summary>
internal static unsafe class BatchProduct
{
    /// <summary>Floats of a panel: half of a usual second-level cache.</summary>
    private const int PanelFloats = 32 * 1024;

    /// <summary><c>y[b, r] = Σ w[r, k] · x[b, k]</c>.</summary>
    /// <param name="kernel">What computes it.</param>
    /// <param name="panels">The weights, [rows, columns].</param>
    /// <param name="x">[batch, columns].</param>
    /// <param name="y">[batch, rows].</param>
    /// <param name="batch">Vectors.</param>
    public static void Multiply<TPanels>(Kernel kernel, TPanels panels, ReadOnlySpan<float> x, Span<float> y, int batch)
        where TPanels : struct, IRowPanels
    {
        if (batch >= kernel.TileBatch)
        {
            MultiplyTiles(kernel, panels, x, y, batch);
            return;
        }

        var work = new Work<TPanels>(kernel, panels, batch, Tiles: false);
        int line = Kernel.LineLength(panels.Columns);
        if (panels.InPlace && line == panels.Columns)
        {
            RowSpread.Run(panels.Rows, panels.Columns, batch, x, y, work);
            return;
        }

        using var lines = new Scratch(batch, line);
        for (int b = 0; b < batch; b++)
        {
            x.Slice(b * panels.Columns, panels.Columns).CopyTo(lines.Span[(b * line)..]);
            lines.Span[((b * line) + panels.Columns)..((b + 1) * line)].Clear();
        }

        RowSpread.Run(panels.Rows, panels.Columns, batch, lines.Span, y, work);
    }

    /// <summary>The same, with sums in the order of <see cref="Kernel.MultiplyTiles"/> for any number of vectors.</summary>
    public static void MultiplyTiles<TPanels>(Kernel kernel, TPanels panels, ReadOnlySpan<float> x, Span<float> y, int batch)
        where TPanels : struct, IRowPanels
    {
        using var tiles = new Scratch(Tiling.Floats(kernel, panels.Columns, batch));
        fixed (float* from = x)
        {
            Tiling.Transpose(kernel, from, panels.Columns, panels.Columns, batch, tiles.Pointer);
        }

        RowSpread.Run(panels.Rows, panels.Columns, batch, tiles.Span, y, new Work<TPanels>(kernel, panels, batch, Tiles: true));
    }

    private readonly record struct Work<TPanels>(Kernel Kernel, TPanels Panels, int Batch, bool Tiles) : IRowWork
        where TPanels : struct, IRowPanels
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> lines, Span<float> y)
        {
            int columns = Panels.Columns, line = Kernel.LineLength(columns);
            bool inPlace = Panels.InPlace && (Tiles || line == columns);
            int panelRows = Math.Clamp(PanelFloats / line / 4 * 4, 4, 64);
            using var buffer = new Scratch(inPlace ? 0 : panelRows, line);
            buffer.Span.Clear(); // the ends of lines
            for (int done = 0; done < rowCount; done += panelRows)
            {
                int row = firstRow + done;
                int rows = Math.Min(panelRows, rowCount - done);
                var weights = Panels.Read(row, rows, buffer.Span, line);
                if (Tiles)
                {
                    var x = new TiledMatrix { Values = lines, Depth = columns, Width = Batch, TileStride = Kernel.TileWidth * columns };
                    Kernel.MultiplyTiles(weights, inPlace ? columns : line, rows, x, y[row..], Panels.Rows, TileResult.StoreTransposed);
                }
                else
                {
                    Kernel.MultiplyPanel(weights, rows, lines, Batch, line, y[row..], Panels.Rows);
                }
            }
        }
    }
}
