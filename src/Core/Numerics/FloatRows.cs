using Compress.Runtime.Kernels;

namespace Compress.Core.Numerics;

/// <summary>A matrix of floats in memory.</summary>
internal readonly record struct FloatRows(float[] Values, int Columns) : IRowPanels
{
    public int Rows => Columns == 0 ? 0 : Values.Length / Columns;

    public bool InPlace => true;

    public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
    {
        var rows = Values.AsSpan(firstRow * Columns, rowCount * Columns);
        if (buffer.IsEmpty)
        {
            return rows;
        }

        for (int r = 0; r < rowCount; r++)
        {
            rows.Slice(r * Columns, Columns).CopyTo(buffer[(r * stride)..]);
        }

        return buffer;
    }
}
