using System.Numerics.Tensors;
using Compress.Core.Models;
using Compress.Core.Numerics;

namespace Compress.Core.Codecs.Crvq;

/// <summary>The rows of a matrix, each over its root mean square, in memory.</summary>
internal sealed class NormalizedRows
{
    private readonly float[] values;
    private readonly int columns;

    // A row is so many times as large as its normalized one: root mean square times a power of two, which keeps squares in range.
    private readonly double[] units;
    private readonly double[] importance;

    /// <param name="weights">Read once.</param>
    /// <param name="paddedColumns">Columns, filled up with zeros to so many.</param>
    /// <param name="statistics">Statistics of the inputs, or null. If they belong to the rows, their second moments weigh them.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public NormalizedRows(WeightMatrix weights, int paddedColumns, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        columns = weights.Columns;
        PaddedColumns = paddedColumns;
        values = GC.AllocateUninitializedArray<float>(checked(weights.Rows * columns));
        units = new double[weights.Rows];
        RowReader.ForEach(weights, (row, read) =>
        {
            float largest = read.IsEmpty ? 0 : Math.Abs(TensorPrimitives.MaxMagnitude<float>(read));
            var normalized = values.AsSpan(row * columns, columns);
            if (largest == 0)
            {
                normalized.Clear();
                return;
            }

            int power = Math.ILogB(largest);
            for (int j = 0; j < columns; j++)
            {
                normalized[j] = (float)Math.ScaleB((double)read[j], -power);
            }

            float meanSquare = MathF.Sqrt(FixedOrder.Dot(normalized, normalized) / columns);
            foreach (ref float value in normalized)
            {
                value /= meanSquare;
            }

            units[row] = Math.ScaleB((double)meanSquare, power);
        }, cancellationToken);

        double[]? moments = statistics is { Transposed: true } ? statistics.InputSecondMoments : null;
        double most = units.Length == 0 ? 0 : units.Max();
        importance = new double[weights.Rows];
        for (int row = 0; row < importance.Length; row++)
        {
            double unit = units[row] == 0 ? 0 : units[row] / most;
            importance[row] = unit * unit * (moments is null ? 1 : moments[((long)row * importance.Length) + row]);
        }

        Live = [.. Enumerable.Range(0, units.Length).Where(row => units[row] > 0)];
    }

    /// <summary>Columns, filled up.</summary>
    public int PaddedColumns { get; }

    /// <summary>The rows that are not zero.</summary>
    public int[] Live { get; }

    /// <summary>A code to encode the rows with.</summary>
    /// <param name="order">Which column comes where.</param>
    /// <param name="groups">Groups of a row.</param>
    /// <param name="critical">How many of them have a vector of every codebook.</param>
    /// <param name="groupSize">Columns of a group.</param>
    /// <param name="entries">Vectors of each codebook.</param>
    public AdditiveCode Code(int[] order, int groups, int critical, int groupSize, IReadOnlyList<int> entries)
    {
        float[] ordered = new float[checked((long)units.Length * PaddedColumns)];
        for (int row = 0; row < units.Length; row++)
        {
            for (int j = 0; j < order.Length; j++)
            {
                ordered[(row * PaddedColumns) + j] = values[(row * columns) + order[j]];
            }
        }

        return new(ordered, importance, groups, critical, groupSize, entries);
    }

    /// <summary>The scales of the rows themselves.</summary>
    /// <param name="normalized">Those of the normalized rows.</param>
    public float[] Scales(float[] normalized) => [.. normalized.Select((scale, row) => (float)Math.Min(scale * units[row], float.MaxValue))];

    /// <summary>A scale of a normalized row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="scale">That of the row itself.</param>
    public float Normalized(int row, double scale) => units[row] == 0 ? 0 : (float)(scale / units[row]);
}
