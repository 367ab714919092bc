namespace Compress.Core.Codecs.Uniform;

/// <summary>How many weights share a scale.</summary>
internal enum Granularity
{
    /// <summary>All of the tensor.</summary>
    Tensor,

    /// <summary>A row: an output channel of a linear layer.</summary>
    Channel,

    /// <summary>Some consecutive columns of a row.</summary>
    Group,
}

/// <summary>Which weights share a scale.</summary>
internal sealed class ScaleLayout
{
    private readonly int rows;
    private readonly int columns;
    private readonly int width;
    private readonly int rowStride;

    public ScaleLayout(int rows, int columns, Granularity granularity, int groupSize)
    {
        (this.rows, this.columns) = (rows, columns);
        width = granularity == Granularity.Group ? groupSize : Math.Max(columns, 1);
        PerRow = (columns / width) + (columns % width == 0 ? 0 : 1);
        rowStride = granularity == Granularity.Tensor ? 0 : PerRow;
        Shape = granularity == Granularity.Tensor ? [1] : [rows, PerRow];
        Count = granularity == Granularity.Tensor ? 1 : checked(rows * PerRow);
    }

    /// <summary>How many scales a row uses.</summary>
    public int PerRow { get; }

    /// <summary>How many scales there are.</summary>
    public int Count { get; }

    /// <summary>The shape of the array of scales.</summary>
    public long[] Shape { get; }

    /// <summary>The index of a row's scale.</summary>
    public int Index(int row, int group) => (row * rowStride) + group;

    /// <summary>Which of a row's scales a column uses.</summary>
    public int GroupOf(int column) => column / width;

    /// <summary>True if no later row uses the scale.</summary>
    public bool IsLastUse(int row) => rowStride > 0 || row == rows - 1;

    /// <summary>The first column of the part of a row that one scale serves.</summary>
    public int Start(int group) => group * width;

    /// <summary>The number of columns of that part.</summary>
    public int Length(int group) => Math.Min(width, columns - (group * width));
}
