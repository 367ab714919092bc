using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>
/// CVXQ with the paper's groups (Young, arXiv 2409.02026, §3): one column of a cluster of rows. The matrix is stored column by column, the rows of a cluster together, so that a line of
/// a <see cref="MixedMatrix"/> is a column. A product adds up columns.
/// </summary>
internal sealed class ClusteredTensor : PackedTensor
{
    /// <summary>The array of the cluster of each row.</summary>
    public const string ClustersPart = "clusters";

    /// <summary>The type of that array: the smallest that so many clusters fit in.</summary>
    public static DType ClusterType(int clusters) => clusters <= 1 << 8 ? DType.U8 : clusters <= 1 << 16 ? DType.U16 : DType.U32;

    // From this many vectors on, unpacking columns once pays.
    private const int PanelBatch = 4;

    // Columns that are brought back into rows at once: a cache line of floats.
    private const int ColumnsAtOnce = 16;

    private readonly Kernel kernel;
    private readonly MixedRows loops;
    private readonly Rotation? rotation;
    private readonly MixedMatrix matrix;
    private readonly int[] rows = []; // by place in a line
    private readonly int[] places = []; // by row

    public ClusteredTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        loops = MixedRows.Of(this.kernel);
        (int groupSize, rotation) = CvxqTensor.Quantizer(parts, Columns, kernel);
        matrix = new(parts, Columns, Rows, groupSize, rotation is null ? "levels.laplace" : "levels.normal");
        if (Columns > 0)
        {
            rows = RowsInOrder(parts);
            places = new int[Rows];
            for (int place = 0; place < rows.Length; place++)
            {
                places[rows[place]] = place;
            }
        }

        Bias = CvxqTensor.ReadBias(parts, Rows);
        CountBits(parts);
    }

    public override string Codec => "cvxq";

    public override ReadOnlySpan<float> OutputBias => Bias;

    private float[] Bias { get; }

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination)
    {
        if (rowCount < matrix.Groups)
        {
            for (int row = 0; row < rowCount; row++)
            {
                Row(firstRow + row, destination.Slice(row * Columns, Columns));
            }
        }
        else
        {
            Lines(firstRow, rowCount, destination);
        }

        if (rotation is { } turn)
        {
            using var factors = new Scratch(Columns);
            turn.InverseFactors(factors.Span);
            for (int row = 0; row < rowCount; row++)
            {
                turn.Invert(destination.Slice(row * Columns, Columns), factors.Span);
            }
        }
    }

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated)
    {
        var input = rotation is { } turn ? rotated.Get(x, Columns, turn) : x;
        RowSpread.Run(matrix.Groups, (int)Math.Min(int.MaxValue, (long)Columns * matrix.GroupSize), batch, input, y, new Work(this, batch));
        AddOutputBias(y);
    }

    // The order in which the rows stand in a line: cluster by cluster, and as in the matrix within one.
    private int[] RowsInOrder(PackedParts parts)
    {
        int[] order = new int[Rows], next = new int[matrix.Groups];
        if (matrix.Groups <= 1)
        {
            return [.. Enumerable.Range(0, Rows)];
        }

        var type = ClusterType(matrix.Groups);
        var view = parts.Part(ClustersPart, type, Rows);
        for (int row = 0; row < Rows; row++)
        {
            uint cluster = type switch
            {
                DType.U8 => view.Slice(row, 1)[0],
                DType.U16 => view.Slice<ushort>(row, 1)[0],
                _ => view.Slice<uint>(row, 1)[0],
            };
            if (cluster >= matrix.Groups || next[cluster] == Math.Min(matrix.GroupSize, Rows - (cluster * matrix.GroupSize)))
            {
                throw parts.Bad($"row {row} is in cluster {cluster}, which has no place for it");
            }

            order[(cluster * matrix.GroupSize) + next[cluster]++] = row;
        }

        return order;
    }

    private void Lines(int firstRow, int rowCount, Span<float> destination)
    {
        using var lines = new Scratch(ColumnsAtOnce, Rows);
        for (int column = 0; column < Columns; column += ColumnsAtOnce)
        {
            int count = Math.Min(ColumnsAtOnce, Columns - column);
            loops.Decode(matrix, column, count, lines.Span, Rows);
            for (int row = 0; row < rowCount; row++)
            {
                var to = destination.Slice((row * Columns) + column, count);
                int place = places[firstRow + row];
                for (int i = 0; i < count; i++)
                {
                    to[i] = lines.Span[(i * Rows) + place];
                }
            }
        }
    }

    private void Row(int row, Span<float> values)
    {
        var (group, index) = Math.DivRem(places[row], matrix.GroupSize);
        for (int column = 0; column < Columns; column++)
        {
            values[column] = matrix.Weight(column, group, index);
        }
    }

    private readonly record struct Work(ClusteredTensor Tensor, int Batch) : IRowWork
    {
        public void Run(int firstRow, int rowCount, ReadOnlySpan<float> input, Span<float> output)
        {
            var matrix = Tensor.matrix;
            int first = firstRow * matrix.GroupSize, count = Math.Min(rowCount * matrix.GroupSize, matrix.Columns - first);
            int length = MixedRows.SumsLength(matrix, rowCount);
            using var sums = new Scratch(Batch, length);
            sums.Span.Clear();
            if (Batch < PanelBatch)
            {
                for (int column = 0; column < matrix.Rows; column++)
                {
                    for (int b = 0; b < Batch; b++)
                    {
                        Tensor.loops.Accumulate(matrix, column, firstRow, rowCount, input[(b * matrix.Rows) + column], sums.Span.Slice(b * length, length));
                    }
                }
            }
            else
            {
                using var line = new Scratch(count);
                for (int column = 0; column < matrix.Rows; column++)
                {
                    Tensor.loops.DecodeGroups(matrix, column, firstRow, rowCount, line.Span);
                    for (int b = 0; b < Batch; b++)
                    {
                        Tensor.loops.AddMultiple(line.Span, input[(b * matrix.Rows) + column], sums.Span.Slice(b * length, count));
                    }
                }
            }

            var places = Tensor.rows.AsSpan(first, count);
            for (int b = 0; b < Batch; b++)
            {
                var own = sums.Span.Slice(b * length, length);
                Tensor.loops.Collect(matrix, rowCount, own);
                for (int i = 0; i < count; i++)
                {
                    output[(b * matrix.Columns) + places[i]] = own[i];
                }
            }
        }
    }
}
