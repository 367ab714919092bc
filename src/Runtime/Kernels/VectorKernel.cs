using System.Runtime.CompilerServices;

namespace Compress.Runtime.Kernels;

/// <summary>The kernel of one vector width: which loop serves which matrix.</summary>
internal sealed class VectorKernel<S, F, B> : Kernel
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    public override string Name => S.Name;

    public override bool IsAccelerated => S.IsAccelerated;

    public override void Hadamard(Span<float> block) => HadamardTransform<S, F, B>.Run(block);

    public override void Hadamard(Span<float> block, ReadOnlySpan<float> factors) => HadamardTransform<S, F, B>.Run(block, factors);

    public override void FlipSigns(Span<float> row, ulong seed)
    {
        int step = Unsafe.SizeOf<F>() / sizeof(float);
        int whole = row.Length / step * step;
        for (int column = 0; column < whole; column += 64)
        {
            ulong word = Numerics.Signs.Word(seed, column / 64);
            for (int i = column; i < Math.Min(column + 64, whole); i += step)
            {
                S.Store(S.FlipSigns(S.Load(ref row[i], 0), word >> i), ref row[i], 0);
            }
        }

        Numerics.Signs.Flip(row, seed, whole);
    }

    public override void DecodeRows(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        if (PointRows<S, F, B>.Fits(matrix))
        {
            PointRows<S, F, B>.Decode(matrix, firstRow, rowCount, weights, stride);
        }
        else if (StripDot<S, F, B>.Fits(matrix) && matrix.Codebook.Dimension == 1)
        {
            Strips<S, F, B>.DecodeRows(matrix, firstRow, rowCount, weights, stride);
        }
        else if (matrix.Codebook.IsIntegers)
        {
            NaturalDot<S, F, B, IntegerDecoder<S, F, B>>.DecodeRows(matrix, firstRow, rowCount, weights, stride);
        }
        else if (matrix.Codebook.Dimension == 1)
        {
            NaturalDot<S, F, B, SinglesDecoder<S, F, B>>.DecodeRows(matrix, firstRow, rowCount, weights, stride);
        }
        else
        {
            NaturalDot<S, F, B, PairsDecoder<S, F, B>>.DecodeRows(matrix, firstRow, rowCount, weights, stride);
        }
    }

    public override int PanelBatch(CodeMatrix matrix) => StripDot<S, F, B>.Fits(matrix) ? 6 : 3;

    public override int ArrangedLength(CodeMatrix matrix) =>
        StripDot<S, F, B>.Fits(matrix) ? StripDot<S, F, B>.ArrangedLength(matrix)
        : PointDot<S, F, B>.Fits(matrix) ? PointDot<S, F, B>.ArrangedLength(matrix)
        : LineLength(matrix.Columns);

    public override void Arrange(CodeMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged)
    {
        if (StripDot<S, F, B>.Fits(matrix))
        {
            StripDot<S, F, B>.Arrange(matrix.Codebook.Dimension, x, arranged);
        }
        else
        {
            x.CopyTo(arranged);
            arranged[x.Length..].Clear();
        }
    }

    public override void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        if (StripDot<S, F, B>.Fits(matrix))
        {
            StripDot<S, F, B>.MultiplyRows(matrix, firstRow, arranged, y);
        }
        else if (PointDot<S, F, B>.Fits(matrix))
        {
            PointDot<S, F, B>.MultiplyRows(matrix, firstRow, arranged, y);
        }
        else if (matrix.Codebook.IsIntegers)
        {
            NaturalDot<S, F, B, IntegerDecoder<S, F, B>>.MultiplyRows(matrix, firstRow, arranged, y);
        }
        else
        {
            NaturalDot<S, F, B, SinglesDecoder<S, F, B>>.MultiplyRows(matrix, firstRow, arranged, y);
        }
    }

    public override void MultiplyPanel(
        ReadOnlySpan<float> weights, int rows, ReadOnlySpan<float> x, int batch, int stride, Span<float> y, int yStride) =>
        Panel<S, F, B>.Multiply(weights, rows, x, batch, stride, y, yStride);

    public override int TileWidth => Tiles<S, F, B>.Width;

    public override void MultiplyTiles(
        ReadOnlySpan<float> a, int aStride, int rows, in TiledMatrix b, Span<float> c, int cStride, TileResult result) =>
        Tiles<S, F, B>.Multiply(a, aStride, rows, b, c, cStride, result);
}
