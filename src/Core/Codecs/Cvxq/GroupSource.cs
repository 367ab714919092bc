using System.Numerics.Tensors;
using Compress.Core.Models;
using Compress.Runtime.Numerics;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>Works on a group of weights.</summary>
/// <param name="line">The stored line that it is in.</param>
/// <param name="group">Which group of the line.</param>
/// <param name="values">Its weights.</param>
internal delegate void GroupAction(int line, int group, ReadOnlySpan<float> values);

/// <summary>
/// The groups of a matrix in the order in which they are stored, in a unit in which the largest weight is near 1, of rotated rows if asked to.
/// </summary>
internal abstract class GroupSource
{
    private readonly Rotation? rotation;

    protected GroupSource(WeightMatrix weights, bool rotated, int groupSize, ulong seed, CancellationToken cancellationToken)
    {
        (Weights, GroupSize, CancellationToken) = (weights, groupSize, cancellationToken);
        rotation = rotated && weights.Columns > 0 ? new Rotation(weights.Columns, groupSize, seed) : null;
        float largest = 0;
        RowReader.ForEach(weights, (_, values) =>
        {
            largest = values.IsEmpty ? largest : Math.Max(largest, Math.Abs(TensorPrimitives.MaxMagnitude(values)));
        }, cancellationToken);
        Unit = MathF.ScaleB(1, largest == 0 ? 0 : Math.Clamp(Math.ILogB(largest), -126, 126));
    }

    /// <summary>Stored lines.</summary>
    public abstract int Lines { get; }

    /// <summary>Groups of a line.</summary>
    public abstract int Groups { get; }

    /// <summary>A power of two: the weights are this many times as large.</summary>
    public float Unit { get; }

    /// <summary>Which cluster each row is in; null if groups are parts of rows.</summary>
    public virtual int[]? Clusters => null;

    protected WeightMatrix Weights { get; }

    protected int GroupSize { get; }

    protected bool IsRotated => rotation is not null;

    protected CancellationToken CancellationToken { get; }

    /// <summary>Calls the action for each group in order.</summary>
    public abstract void ForEach(GroupAction action);

    /// <summary>Calls the action for each group in order, with the mean of G² over it.</summary>
    public abstract void ForEachMean(SensitivityMap map, Action<int, int, double> action);

    protected void ForEachRow(RowAction action) => RowReader.ForEach(
        Weights,
        (row, values) =>
        {
            TensorPrimitives.Multiply(values, 1 / Unit, values);
            rotation?.Apply(values);
            action(row, values);
        },
        CancellationToken);
}

/// <summary>Groups of consecutive columns of a row: rows are multiplied and looked up one by one.</summary>
internal sealed class RowGroups(WeightMatrix weights, bool rotated, int groupSize, ulong seed, CancellationToken cancellationToken)
    : GroupSource(weights, rotated, groupSize, seed, cancellationToken)
{
    public override int Lines => Weights.Rows;

    public override int Groups => (Weights.Columns + GroupSize - 1) / GroupSize;

    public override void ForEach(GroupAction action) => ForEachRow((row, values) =>
    {
        for (int start = 0; start < values.Length; start += GroupSize)
        {
            action(row, start / GroupSize, values.Slice(start, Math.Min(GroupSize, values.Length - start)));
        }
    });

    public override void ForEachMean(SensitivityMap map, Action<int, int, double> action)
    {
        for (int row = 0; row < Lines; row++)
        {
            for (int group = 0; group < Groups; group++)
            {
                action(row, group, map.Mean(row, group * GroupSize, Math.Min(GroupSize, Weights.Columns - (group * GroupSize))));
            }
        }
    }
}

/// <summary>
/// The paper's groups (Young, arXiv 2409.02026, §3): rows are sorted by G² S² and cut into clusters, and a group is one column of a cluster. Bands of columns are brought together in memory, and the
/// matrix is read once for each.
/// </summary>
internal sealed class ClusterGroups : GroupSource
{
    // 256 MiB.
    private const int BandFloats = 1 << 26;

    private readonly int[] order; // the row at each place of a line

    public ClusterGroups(WeightMatrix weights, SensitivityMap map, bool rotated, int groupSize, ulong seed, CancellationToken cancellationToken)
        : base(weights, rotated, groupSize, seed, cancellationToken)
    {
        double[] keys = new double[weights.Rows];
        if (weights.Columns > 0)
        {
            ForEachRow((row, values) => keys[row] = -GroupQuantizer.Moments(values).Variance * map.Mean(row, 0, values.Length));
        }

        int[] sorted = [.. Enumerable.Range(0, weights.Rows).OrderBy(row => keys[row])]; // stable
        Clusters = new int[weights.Rows];
        for (int place = 0; place < sorted.Length; place++)
        {
            Clusters[sorted[place]] = place / groupSize;
        }

        order = [.. Enumerable.Range(0, weights.Rows).OrderBy(row => Clusters[row]).ThenBy(row => row)];
    }

    public override int Lines => Weights.Columns;

    public override int Groups => (Weights.Rows + GroupSize - 1) / GroupSize;

    public override int[] Clusters { get; }

    public override void ForEach(GroupAction action)
    {
        int rows = Weights.Rows, band = Math.Clamp(BandFloats / Math.Max(rows, 1), 1, Math.Max(Lines, 1));
        float[] lines = new float[checked(band * rows)];
        int[] places = new int[rows];
        for (int place = 0; place < rows; place++)
        {
            places[order[place]] = place;
        }

        for (int first = 0; first < Lines; first += band)
        {
            int count = Math.Min(band, Lines - first);
            ForEachRow((row, values) =>
            {
                for (int i = 0; i < count; i++)
                {
                    lines[(i * rows) + places[row]] = values[first + i];
                }
            });
            for (int i = 0; i < count; i++)
            {
                for (int start = 0; start < rows; start += GroupSize)
                {
                    action(first + i, start / GroupSize, lines.AsSpan((i * rows) + start, Math.Min(GroupSize, rows - start)));
                }
            }
        }
    }

    // A rotated column has what the columns of its block have on average.
    public override void ForEachMean(SensitivityMap map, Action<int, int, double> action)
    {
        int block = IsRotated ? GroupSize : 1;
        double[] means = new double[Groups];
        for (int line = 0; line < Lines; line++)
        {
            for (int group = 0; group < means.Length; group++)
            {
                if (line % block == 0)
                {
                    means[group] = Mean(map, group, line, Math.Min(block, Lines - line));
                }

                action(line, group, means[group]);
            }
        }
    }

    private double Mean(SensitivityMap map, int group, int firstColumn, int columns)
    {
        var rows = order.AsSpan(group * GroupSize, Math.Min(GroupSize, order.Length - (group * GroupSize)));
        double sum = 0;
        foreach (int row in rows)
        {
            sum += map.Mean(row, firstColumn, columns);
        }

        return sum / rows.Length;
    }
}
