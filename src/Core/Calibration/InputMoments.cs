using System.Numerics;
using System.Runtime.InteropServices;
using Compress.Core.Codecs;
using Compress.Core.LanguageModels.Blocks;
using Compress.Runtime.Kernels;

namespace Compress.Core.Calibration;

/// <summary>
/// Sums of a linear layer's inputs and of their products. Of each 256 tokens at most, products are summed in float32 in the order of the tokens
/// (multiply-adds with one rounding each), and these sums in float64, always in the same order: so the bits depend on neither CPU nor threads,
/// and the error of a moment E[xᵢ xⱼ] is at most 256 · 2⁻²⁴ √(E[xᵢ²] E[xⱼ²]), in practice a hundredth of that.
/// </summary>
/// <param name="width">Length of an input.</param>
/// <param name="kinds">What is wanted: <see cref="StatisticKinds.InputSecondMoments"/>, <see cref="StatisticKinds.InputMeans"/>.</param>
internal sealed unsafe class InputMoments(int width, StatisticKinds kinds) : IVectorObserver
{
    private const int BlockTokens = 256;

    // Sums of so many squares stay in the range of a float.
    private const float Largest = 1e18f;

    private static readonly Kernel Kernel = Kernel.Fused;

    private readonly double[] sums = new double[width];

    // [width, width]; of those below the diagonal, only what shares a tile with it
    private readonly double[]? products = kinds.HasFlag(StatisticKinds.InputSecondMoments) ? new double[checked((long)width * width)] : null;

    /// <summary>Tokens that were summed.</summary>
    public long Tokens { get; private set; }

    /// <summary>Tokens that were left out, because a value of theirs is not finite, or greater than 10¹⁸.</summary>
    public long Skipped { get; private set; }

    /// <inheritdoc/>
    public void Add(ReadOnlySpan<float> vectors, int tokens)
    {
        using var block = new Scratch(Math.Min(tokens, BlockTokens), width);
        int count = 0;
        for (int token = 0; token < tokens; token++)
        {
            var row = vectors.Slice(token * width, width);
            if (!IsUsable(row))
            {
                Skipped++;
                continue;
            }

            row.CopyTo(block.Span.Slice(count * width, width));
            if (++count == BlockTokens)
            {
                Add(block, count);
                count = 0;
            }
        }

        Add(block, count);
    }

    /// <summary>E[x xᵀ], [width, width].</summary>
    public float[] SecondMoments()
    {
        float[] moments = new float[products!.Length];
        Threads.For(width, row =>
        {
            for (int column = 0; column < width; column++)
            {
                long at = ((long)Math.Min(row, column) * width) + Math.Max(row, column);
                moments[((long)row * width) + column] = (float)(products[at] / Tokens);
            }
        });
        return moments;
    }

    /// <summary>E[x], [width].</summary>
    public float[] Means() => Array.ConvertAll(sums, sum => (float)(sum / Tokens));

    private static bool IsUsable(ReadOnlySpan<float> row)
    {
        foreach (float value in row)
        {
            if (!(MathF.Abs(value) <= Largest))
            {
                return false;
            }
        }

        return true;
    }

    private void Add(Scratch block, int count)
    {
        if (count == 0)
        {
            return;
        }

        Tokens += count;
        for (int token = 0; token < count; token++)
        {
            Add(block.Span.Slice(token * width, width), sums);
        }

        if (products is not null)
        {
            using var turned = new Scratch(width, count);
            Transposition.Run(block.Pointer, width, count, width, turned.Pointer, count);
            AddProducts(block.Pointer, turned.Pointer, count);
        }
    }

    // A tile of columns has the rows down to the diagonal: the others are the same products.
    private void AddProducts(float* x, float* turned, int count)
    {
        int tile = Kernel.TileWidth;
        Threads.For((width + tile - 1) / tile, index =>
        {
            int column = index * tile, columns = Math.Min(tile, width - column), rows = column + columns;
            using Scratch tiled = new(tile, count), block = new(rows, columns);
            Tiling.Copy(Kernel, x + column, width, count, columns, tiled.Pointer);
            var matrix = new TiledMatrix { Values = tiled.Span, Depth = count, Width = columns, TileStride = 0 };
            Kernel.MultiplyTiles(new(turned, rows * count), count, rows, matrix, block.Span, columns, TileResult.Store);
            for (int row = 0; row < rows; row++)
            {
                long first = ((long)row * width) + column;
                Add(block.Span.Slice(row * columns, columns), MemoryMarshal.CreateSpan(ref products![first], columns));
            }
        });
    }

    private static void Add(ReadOnlySpan<float> values, Span<double> sums)
    {
        int i = 0, step = Vector<double>.Count;
        for (; i <= values.Length - (2 * step); i += 2 * step)
        {
            Vector.Widen(new Vector<float>(values[i..]), out var low, out var high);
            (new Vector<double>(sums[i..]) + low).CopyTo(sums[i..]);
            (new Vector<double>(sums[(i + step)..]) + high).CopyTo(sums[(i + step)..]);
        }

        for (; i < values.Length; i++)
        {
            sums[i] += values[i];
        }
    }
}
