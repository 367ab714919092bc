namespace Compress.Core.Models;

/// <summary>
/// The weights of one tensor as the matrix <c>[Rows, Columns]</c> (first dimension by the product of the others; vectors are one row),
/// read as floats, a few rows at a time, so that a tensor is never in memory whole. Safe for several threads.
/// </summary>
public abstract class WeightMatrix
{
    /// <summary>Rows: output features of a linear layer.</summary>
    public abstract int Rows { get; }

    /// <summary>Columns: input features of a linear layer.</summary>
    public abstract int Columns { get; }

    /// <summary>Reads rows as floats, row-major. F64 is rounded to the nearest float; all narrower types are exact.</summary>
    /// <param name="firstRow">0-based.</param>
    /// <param name="rowCount">How many.</param>
    /// <param name="destination">At least <c>rowCount · Columns</c> floats.</param>
    public abstract void ReadRows(int firstRow, int rowCount, Span<float> destination);

    /// <summary>A matrix that is in memory already, row-major.</summary>
    public static WeightMatrix FromArray(float[] weights, int rows, int columns) => new InMemory(weights, rows, columns);

    private sealed class InMemory(float[] weights, int rows, int columns) : WeightMatrix
    {
        public override int Rows => rows;

        public override int Columns => columns;

        public override void ReadRows(int firstRow, int rowCount, Span<float> destination) =>
            weights.AsSpan(checked(firstRow * columns), checked(rowCount * columns)).CopyTo(destination);
    }
}
