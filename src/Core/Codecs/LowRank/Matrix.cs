using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Codecs.LowRank;

/// <summary>A matrix of doubles, row-major. Sums of products are the same to the bit on every machine.</summary>
internal sealed class Matrix(double[] values, int rows, int columns)
{
    public Matrix(int rows, int columns)
        : this(new double[checked((long)rows * columns)], rows, columns)
    {
    }

    public double[] Values => values;

    public int Rows => rows;

    public int Columns => columns;

    /// <summary>The first rows.</summary>
    public Matrix Top(int count) => new(values.AsSpan(0, checked(count * columns)).ToArray(), count, columns);

    public Matrix Transposed()
    {
        var result = new Matrix(columns, rows);
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                result.Values[((long)j * rows) + i] = values[((long)i * columns) + j];
            }
        }

        return result;
    }

    /// <summary>The product with another matrix, or with its transpose.</summary>
    public unsafe Matrix Times(Matrix other, bool transposed = false)
    {
        int depth = transposed ? other.Columns : other.Rows, width = transposed ? other.Rows : other.Columns;
        ArgumentOutOfRangeException.ThrowIfNotEqual(depth, columns);
        var result = new Matrix(rows, width);
        if (result.Values.Length == 0 || depth == 0)
        {
            return result;
        }

        double[] tiles = new double[TiledProduct.TiledLength(depth, width)];
        fixed (double* a = values, b = other.Values, tiled = tiles, c = result.Values)
        {
            TiledProduct.Tile(b, transposed ? 1 : width, transposed ? depth : 1, depth, width, tiled);
            TiledProduct.Subtract(a, columns, rows, tiled, depth, width, c, width);
        }

        foreach (ref double value in result.Values.AsSpan())
        {
            value = -value;
        }

        return result;
    }
}
