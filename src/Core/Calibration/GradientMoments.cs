using Compress.Core.LanguageModels.Blocks;

namespace Compress.Core.Calibration;

/// <summary>
/// Mean squares of a matrix's gradients over backward passes, for each weight or for groups of them: CVXQ's G² (Young, arXiv 2409.02026). Sums are
/// in double and in a fixed order, so that they are the same bits everywhere.
/// </summary>
internal sealed unsafe class GradientMoments
{
    private readonly int rows, columns, groupRows, groupColumns, across;
    private readonly double[] sums; // [groups of rows, groups of columns]

    /// <param name="rows">Rows of the matrix as it is stored.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="groupRows">Consecutive rows of a group; the last may have fewer.</param>
    /// <param name="groupColumns">Consecutive columns of a group; the last may have fewer.</param>
    public GradientMoments(int rows, int columns, int groupRows = 1, int groupColumns = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groupRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(groupColumns, 1);
        (this.rows, this.columns, this.groupRows, this.groupColumns) = (rows, columns, groupRows, groupColumns);
        across = Groups(columns, groupColumns);
        sums = new double[checked(Groups(rows, groupRows) * across)];
    }

    /// <summary>Backward passes that were summed.</summary>
    public long Passes { get; private set; }

    /// <summary>Backward passes that were left out, because a value of theirs is not finite.</summary>
    public long Skipped { get; private set; }

    /// <summary>Adds the gradient of a backward pass.</summary>
    /// <param name="gradient">[rows, columns].</param>
    /// <exception cref="ArgumentException">It is of another length.</exception>
    public void Add(ReadOnlySpan<float> gradient)
    {
        if (gradient.Length != (long)rows * columns)
        {
            throw new ArgumentException($"{gradient.Length} floats for {rows} × {columns} gradients", nameof(gradient));
        }

        if (!IsFinite(gradient))
        {
            Skipped++;
            return;
        }

        Passes++;
        fixed (float* pinned = gradient)
        {
            float* first = pinned;
            Threads.For(Groups(rows, groupRows), group =>
            {
                for (int row = group * groupRows; row < Math.Min(rows, (group + 1) * groupRows); row++)
                {
                    AddRow(new(first + ((long)row * columns), columns), sums.AsSpan(group * across, across));
                }
            });
        }
    }

    /// <summary>The mean squared gradient of each group, [⌈rows / group rows⌉, ⌈columns / group columns⌉]; NaN without any pass.</summary>
    public double[] Means()
    {
        double[] means = new double[sums.Length];
        for (int i = 0; i < means.Length; i++)
        {
            int height = Math.Min(groupRows, rows - (i / across * groupRows)), width = Math.Min(groupColumns, columns - (i % across * groupColumns));
            means[i] = sums[i] / ((double)Passes * height * width);
        }

        return means;
    }

    private void AddRow(ReadOnlySpan<float> row, Span<double> to)
    {
        for (int group = 0; group < to.Length; group++)
        {
            double sum = 0;
            foreach (float value in row[(group * groupColumns)..Math.Min(columns, (group + 1) * groupColumns)])
            {
                sum += (double)value * value;
            }

            to[group] += sum;
        }
    }

    private static bool IsFinite(ReadOnlySpan<float> values) => values.IsEmpty || System.Numerics.Tensors.TensorPrimitives.IsFiniteAll(values);

    private static int Groups(int count, int size) => (int)(((long)count + size - 1) / size);
}
