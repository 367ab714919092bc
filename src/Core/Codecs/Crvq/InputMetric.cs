using Compress.Core.Numerics.LinearAlgebra;
using Compress.Runtime.Kernels;

namespace Compress.Core.Codecs.Crvq;

/// <summary>
/// What errors of a row of weights cost: <c>e H eᵀ</c>, with the second moments H of the layer's inputs, or <c>e eᵀ</c>. Columns are filled up to whole groups
/// and cut into strips of whole groups; sums have a fixed order.
/// </summary>
internal sealed unsafe class InputMetric
{
    /// <summary>Columns of a strip, about: its products are brought up to date group by group.</summary>
    private const int StripColumns = 64;

    // Added to the diagonal at least, as a part of its mean (GPTQ, arXiv 2210.17323, section 4). Second moments need no more but for rounding: what needs more than its own mean is none.
    private const double LeastDamping = 0.01, MostDamping = 1;

    private readonly float[]?[] tiles;
    private readonly float[][] squares;

    private InputMetric(int groups, int groupSize, float[]? matrix)
    {
        (GroupSize, Columns) = (groupSize, groups * groupSize);
        StripWidth = Math.Max(1, StripColumns / groupSize) * groupSize;
        StripCount = (Columns + StripWidth - 1) / StripWidth;
        IsIdentity = matrix is null;
        tiles = new float[StripCount][];
        squares = new float[StripCount][];
        if (matrix is null)
        {
            return;
        }

        fixed (float* from = matrix)
        {
            for (int strip = 0; strip < StripCount; strip++)
            {
                int first = First(strip), width = Width(strip);
                float[] tiled = tiles[strip] = new float[Tiling.Floats(Kernel.Fused, Columns, width)];
                fixed (float* to = tiled)
                {
                    Tiling.Copy(Kernel.Fused, from + first, Columns, Columns, width, to);
                }

                squares[strip] = new float[width * width];
                for (int i = 0; i < width; i++)
                {
                    matrix.AsSpan(((first + i) * Columns) + first, width).CopyTo(squares[strip].AsSpan(i * width));
                }
            }
        }
    }

    /// <summary>True if all errors count alike.</summary>
    public bool IsIdentity { get; }

    /// <summary>Columns of a group.</summary>
    public int GroupSize { get; }

    /// <summary>Columns, filled up to whole groups.</summary>
    public int Columns { get; }

    /// <summary>Strips.</summary>
    public int StripCount { get; }

    /// <summary>Columns of all strips but the last, which may have fewer.</summary>
    public int StripWidth { get; }

    /// <summary>The metric of the weights themselves.</summary>
    public static InputMetric Identity(int groups, int groupSize) => new(groups, groupSize, null);

    /// <summary>What makes second moments positive definite.</summary>
    /// <param name="moments">H, <c>[inputs, inputs]</c>, symmetric.</param>
    /// <param name="inputs">Inputs.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>A part of the mean diagonal element, to be added to the diagonal; null if H is zero, has values whose products are not finite, or is far from positive definite.</returns>
    public static double? Damping(double[] moments, int inputs, CancellationToken cancellationToken) =>
        DampedCholesky.Upper(moments, [.. Enumerable.Range(0, inputs)], LeastDamping, out double damping, cancellationToken) is null
        || damping > MostDamping * 1.001 || MeanDiagonal(moments, inputs) == 0 ? null : damping;

    /// <summary>The metric of the layer's outputs.</summary>
    /// <param name="moments">H, <c>[inputs, inputs]</c>, symmetric.</param>
    /// <param name="damping">As <see cref="Damping"/> has it.</param>
    /// <param name="order">Which input stands in which column.</param>
    /// <param name="groupSize">Columns of a group.</param>
    public static InputMetric Of(double[] moments, double damping, int[] order, int groupSize)
    {
        int inputs = order.Length, groups = (inputs + groupSize - 1) / groupSize, columns = groups * groupSize;
        double mean = MeanDiagonal(moments, inputs);
        float[] matrix = new float[checked(columns * columns)];
        for (int i = 0; i < columns; i++)
        {
            for (int j = 0; i < inputs && j < inputs; j++)
            {
                matrix[(i * columns) + j] = (float)(moments[((long)order[i] * inputs) + order[j]] / mean);
            }

            // What is filled up costs next to nothing.
            matrix[(i * columns) + i] += (float)damping;
        }

        return new(groups, groupSize, matrix);
    }

    /// <summary>A strip's first column.</summary>
    public int First(int strip) => strip * StripWidth;

    /// <summary>A strip's columns.</summary>
    public int Width(int strip) => Math.Min(StripWidth, Columns - First(strip));

    /// <summary>H of a strip's columns among themselves, <c>[width, width]</c>. Not of the identity.</summary>
    public ReadOnlySpan<float> Square(int strip) => squares[strip];

    /// <summary>Rows times H.</summary>
    /// <param name="rows"><c>[count, Columns]</c>.</param>
    /// <param name="count">How many.</param>
    /// <param name="strip">Which of H's columns.</param>
    /// <param name="products">Receives them.</param>
    /// <param name="stride">From one row of products to the next.</param>
    public void Multiply(ReadOnlySpan<float> rows, int count, int strip, Span<float> products, int stride)
    {
        int width = Width(strip);
        if (tiles[strip] is { } values)
        {
            var b = new TiledMatrix { Values = values, Depth = Columns, Width = width, TileStride = Kernel.Fused.TileWidth * Columns };
            Kernel.Fused.MultiplyTiles(rows, Columns, count, b, products, stride, TileResult.Store);
            return;
        }

        for (int row = 0; row < count; row++)
        {
            rows.Slice((row * Columns) + First(strip), width).CopyTo(products[(row * stride)..]);
        }
    }

    /// <summary>Rows times all of H.</summary>
    /// <param name="rows"><c>[count, Columns]</c>.</param>
    /// <param name="count">How many.</param>
    /// <param name="products">Receives <c>[count, Columns]</c>.</param>
    public void Multiply(ReadOnlySpan<float> rows, int count, Span<float> products)
    {
        for (int strip = 0; strip < StripCount; strip++)
        {
            Multiply(rows, count, strip, products[First(strip)..], Columns);
        }
    }

    /// <summary>H's elements of a group's columns: <c>block[i, j]</c>, <c>[GroupSize, GroupSize]</c>.</summary>
    public void ReadBlock(int group, Span<float> block)
    {
        int column = group * GroupSize, strip = column / StripWidth, width = Width(strip), at = column - First(strip);
        for (int i = 0; i < GroupSize; i++)
        {
            var row = block.Slice(i * GroupSize, GroupSize);
            if (IsIdentity)
            {
                row.Clear();
                row[i] = 1;
            }
            else
            {
                squares[strip].AsSpan(((at + i) * width) + at, GroupSize).CopyTo(row);
            }
        }
    }

    private static double MeanDiagonal(double[] moments, int inputs)
    {
        double sum = 0;
        for (int i = 0; i < inputs; i++)
        {
            sum += Math.Abs(moments[((long)i * inputs) + i]);
        }

        return sum / inputs;
    }
}
