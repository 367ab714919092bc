using System.Buffers;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>The kernel without vectors: what the others are tested against.</summary>
internal sealed class ScalarKernel : Kernel
{
    public override string Name => "Scalar";

    public override bool IsAccelerated => true;

    public override void Hadamard(Span<float> block)
    {
        Butterflies(block);
        float norm = Norm(block.Length);
        for (int i = 0; i < block.Length; i++)
        {
            block[i] *= norm;
        }
    }

    public override void Hadamard(Span<float> block, ReadOnlySpan<float> factors)
    {
        Butterflies(block);
        for (int i = 0; i < block.Length; i++)
        {
            block[i] *= factors[i];
        }
    }

    /// <summary>The float nearest 1/√length, by which an orthonormal transform multiplies.</summary>
    public static float Norm(int length) => (float)(1 / Math.Sqrt(length));

    /// <summary>The order of additions that is part of the packed format.</summary>
    public static void Butterflies(Span<float> block)
    {
        for (int distance = 1; distance < block.Length; distance *= 2)
        {
            for (int start = 0; start < block.Length; start += 2 * distance)
            {
                for (int i = start; i < start + distance; i++)
                {
                    (float a, float b) = (block[i], block[i + distance]);
                    block[i] = a + b;
                    block[i + distance] = a - b;
                }
            }
        }
    }

    public override void FlipSigns(Span<float> row, ulong seed) => Numerics.Signs.Flip(row, seed, 0);

    public override void DecodeRows(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        using var row = new RowCursor(matrix);
        ushort[] rented = ArrayPool<ushort>.Shared.Rent(row.CodeCount);
        var codes = rented.AsSpan(0, row.CodeCount);
        for (int r = 0; r < rowCount; r++)
        {
            row.MoveTo(firstRow + r);
            CodePacking.Unpack(row.Packed, matrix.Bits, codes);
            for (int column = 0; column < matrix.Columns; column++)
            {
                weights[(r * stride) + column] = Weight(matrix, row, codes, column);
            }
        }

        ArrayPool<ushort>.Shared.Return(rented);
    }

    public override int PanelBatch(CodeMatrix matrix) => 2;

    public override int ArrangedLength(CodeMatrix matrix) => matrix.Columns;

    public override void Arrange(CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged) => x.CopyTo(arranged);

    public override void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        using var row = new RowCursor(matrix);
        ushort[] rented = ArrayPool<ushort>.Shared.Rent(row.CodeCount);
        var codes = rented.AsSpan(0, row.CodeCount);
        for (int r = 0; r < y.Length; r++)
        {
            row.MoveTo(firstRow + r);
            CodePacking.Unpack(row.Packed, matrix.Bits, codes);
            float sum = 0;
            for (int column = 0; column < matrix.Columns; column++)
            {
                sum += Weight(matrix, row, codes, column) * arranged[column];
            }

            y[r] = sum;
        }

        ArrayPool<ushort>.Shared.Return(rented);
    }

    public override void MultiplyPanel(
        ReadOnlySpan<float> weights, int rows, ReadOnlySpan<float> x, int batch, int stride, Span<float> y, int yStride)
    {
        for (int b = 0; b < batch; b++)
        {
            for (int r = 0; r < rows; r++)
            {
                float sum = 0;
                for (int k = 0; k < stride; k++)
                {
                    sum += weights[(r * stride) + k] * x[(b * stride) + k];
                }

                y[(b * yStride) + r] = sum;
            }
        }
    }

    public override int TileBatch => 4;

    public override int TileWidth => 4;

    public override void MultiplyTiles(
        ReadOnlySpan<float> a, int aStride, int rows, in TiledMatrix b, Span<float> c, int cStride, TileResult result)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int j = 0; j < b.Width; j++)
            {
                float sum = 0;
                for (int start = 0; start < b.Depth; start += DepthChunk)
                {
                    float part = 0;
                    for (int k = start; k < Math.Min(start + DepthChunk, b.Depth); k++)
                    {
                        part = MathF.FusedMultiplyAdd(
                            a[(r * aStride) + k], b.Values[(j / TileWidth * b.TileStride) + (k * TileWidth) + (j % TileWidth)], part);
                    }

                    sum = start == 0 ? part : sum + part;
                }

                int at = result == TileResult.StoreTransposed ? (j * cStride) + r : (r * cStride) + j;
                c[at] = result == TileResult.Add ? c[at] + sum : sum;
            }
        }
    }

    private static float Weight(CodeMatrix matrix, in RowCursor row, ReadOnlySpan<ushort> codes, int column)
    {
        var book = matrix.Codebook;
        int group = column / matrix.GroupSize;
        int entry = book.ZeroBase - row.Zeros[group] + codes[column / book.Dimension];
        return book.Values[(entry * book.Dimension) + (column % book.Dimension)] * row.Scales[group];
    }
}
