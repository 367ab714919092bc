using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Codecs.Feedback;

/// <summary>
/// The factors of a layer's second moments, <c>H = U D Uᵀ</c> (<see cref="BlockLdl"/>), with the order in which its inputs are rounded: all that
/// <see cref="ErrorFeedback"/> must know of the inputs. Immutable; layers with the same inputs may share it.
/// </summary>
internal sealed unsafe class FeedbackFactor
{
    /// <summary>A strip, columns whose share of earlier errors is one product, has as many whole blocks as fit.</summary>
    public const int MaxStripWidth = 64;

    // Where strips begin, and which strip each group begins with; both with the end.
    private readonly int[] strips;
    private readonly int[] groups;

    // Of U, what lies above the strips, in tiles, strip after strip; and the rows of their own triangles, [inputs, MaxStripWidth].
    private readonly double[] tiles;
    private readonly long[] firstTile;
    private readonly double[] triangles;
    private readonly double[] diagonal;
    private readonly int[] order;

    /// <param name="moments">H, <c>[inputs, inputs]</c>, symmetric. An input whose moment is zero was never seen: it is rounded for itself.</param>
    /// <param name="inputs">Inputs of the layer.</param>
    /// <param name="blockSize">Inputs that are rounded together, 64 at most.</param>
    /// <param name="groupSize">Inputs that are rounded one after another because they share a scale that is fitted: a multiple of blockSize. 0 if none is.</param>
    /// <param name="settings">Damping and order.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <param name="stripUnit">Strips, but for the last, have a multiple of so many inputs; a multiple of blockSize, 64 at most.</param>
    /// <exception cref="ArgumentException">H has a value that is not finite.</exception>
    public FeedbackFactor(double[] moments, int inputs, int blockSize, int groupSize, FeedbackSettings settings, CancellationToken cancellationToken, int stripUnit = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockSize, MaxStripWidth);
        ArgumentOutOfRangeException.ThrowIfNotEqual(groupSize % blockSize, 0);
        (Inputs, BlockSize, GroupSize) = (inputs, blockSize, groupSize);
        int together = groupSize == 0 ? Math.Max(inputs, 1) : groupSize;
        order = settings.ActivationOrder ? GreatestFirst(moments, inputs, blockSize, together) : [.. Enumerable.Range(0, inputs)];
        double[] factor = DampedCholesky.Upper(moments, order, settings.Damping / 100.0, out _, cancellationToken)
            ?? throw new ArgumentException("second moments that are not finite", nameof(moments));
        var ldl = new BlockLdl(factor, inputs, blockSize);
        diagonal = ldl.Diagonals;
        (strips, groups) = Cut(order, Math.Max(blockSize, stripUnit), together);

        firstTile = new long[strips.Length];
        for (int strip = 0; strip < StripCount; strip++)
        {
            firstTile[strip + 1] = firstTile[strip] + TiledProduct.TiledLength(strips[strip], Width(strip));
        }

        tiles = new double[firstTile[^1]];
        triangles = new double[checked(inputs * MaxStripWidth)];
        fixed (double* pinned = ldl.Factor, pinnedTiles = tiles)
        {
            for (int strip = 0; strip < StripCount; strip++)
            {
                int first = strips[strip], width = Width(strip);
                TiledProduct.Tile(pinned + first, inputs, 1, first, width, pinnedTiles + firstTile[strip]);
                for (int row = first; row < first + width; row++)
                {
                    ldl.Factor.AsSpan((int)(((long)row * inputs) + first), width).CopyTo(triangles.AsSpan(row * MaxStripWidth));
                }
            }
        }
    }

    /// <summary>Inputs of the layer.</summary>
    public int Inputs { get; }

    /// <summary>Inputs that are rounded together.</summary>
    public int BlockSize { get; }

    /// <summary>Inputs that share a scale that is fitted; 0 if none is.</summary>
    public int GroupSize { get; }

    /// <summary>The memory that it takes.</summary>
    public long Bytes => sizeof(double) * (tiles.LongLength + triangles.LongLength + diagonal.LongLength);

    /// <summary>The inputs in the order in which they are rounded.</summary>
    public ReadOnlySpan<int> Order => order;

    /// <summary>Strips.</summary>
    public int StripCount => strips.Length - 1;

    /// <summary>Groups: one if no scale is fitted.</summary>
    public int GroupCount => groups.Length - 1;

    /// <summary>The first strip of a group, or the end of the last.</summary>
    public int FirstStrip(int group) => groups[group];

    /// <summary>The place in the order with which a strip begins, or the end of the last.</summary>
    public int First(int strip) => strips[strip];

    /// <summary>Columns of a strip.</summary>
    public int Width(int strip) => strips[strip + 1] - strips[strip];

    /// <summary>U's elements of a row and the columns to its right in the same strip.</summary>
    /// <param name="row">The row.</param>
    /// <param name="strip">Its strip.</param>
    /// <param name="column">The first column, in the strip.</param>
    public ReadOnlySpan<double> Triangle(int row, int strip, int column) => triangles.AsSpan((row * MaxStripWidth) + column, Width(strip) - column);

    /// <summary><c>a D bᵀ</c> for the columns of a block.</summary>
    /// <param name="first">The first column.</param>
    /// <param name="a">Of the block.</param>
    /// <param name="b">Of the block.</param>
    public double Product(int first, ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            for (int j = 0; j < b.Length; j++)
            {
                sum += a[i] * diagonal[((first + i) * BlockSize) + j] * b[j];
            }
        }

        return sum;
    }

    /// <summary>Subtracts from the columns of a strip what rows above it contribute: <c>c[r, j] −= Σ a[r, k] U_kj</c>.</summary>
    /// <param name="strip">The strip.</param>
    /// <param name="from">The first k; up to the strip's first column.</param>
    /// <param name="a"><c>[rows, inputs]</c>, in the order of rounding.</param>
    /// <param name="rows">How many.</param>
    /// <param name="c"><c>[rows, MaxStripWidth]</c>.</param>
    public void Subtract(int strip, int from, double[] a, int rows, double[] c)
    {
        fixed (double* pinned = a, target = c, pinnedTiles = tiles)
        {
            TiledProduct.Subtract(pinned, Inputs, rows, pinnedTiles + firstTile[strip], First(strip), Width(strip), target, MaxStripWidth, from);
        }
    }

    // Groups by the mean of their moments, and blocks within them, the first of equals first; what is not full comes last.
    private static int[] GreatestFirst(double[] moments, int inputs, int blockSize, int groupSize)
    {
        double[] blocks = new double[(inputs + blockSize - 1) / blockSize], groups = new double[(inputs + groupSize - 1) / groupSize];
        for (int i = 0; i < inputs; i++)
        {
            double moment = moments[((long)i * inputs) + i];
            blocks[i / blockSize] += moment;
            groups[i / groupSize] += moment;
        }

        return
        [
            .. Enumerable.Range(0, blocks.Length)
                .OrderBy(block => ((block * blockSize / groupSize) + 1) * (long)groupSize > inputs)
                .ThenByDescending(block => groups[block * blockSize / groupSize])
                .ThenBy(block => block * blockSize / groupSize)
                .ThenBy(block => (block + 1) * blockSize > inputs)
                .ThenByDescending(block => blocks[block])
                .SelectMany(block => Enumerable.Range(block * blockSize, Math.Min(blockSize, inputs - (block * blockSize)))),
        ];
    }

    private static (int[] Strips, int[] Groups) Cut(int[] order, int unit, int groupSize)
    {
        int stripWidth = MaxStripWidth - (MaxStripWidth % unit);
        List<int> strips = [], groups = [];
        for (int first = 0; first < order.Length;)
        {
            int group = order[first] / groupSize, end = Math.Min(order.Length, first + Math.Min(groupSize, order.Length - (group * groupSize)));
            groups.Add(strips.Count);
            for (; first < end; first = Math.Min(end, first + stripWidth))
            {
                strips.Add(first);
            }
        }

        return ([.. strips, order.Length], [.. groups, strips.Count]);
    }
}
