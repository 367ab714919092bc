using System.Buffers;
using System.Runtime.Intrinsics;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>Products and unpacked rows of a <see cref="MixedMatrix"/>, for one vector width.</summary>
internal abstract class MixedRows
{
    /// <summary>Of the widest vector.</summary>
    protected const int MaxVectorBytes = 64;

    /// <summary>That of a kernel.</summary>
    public static MixedRows Of(Kernel kernel) => kernel switch
    {
        VectorKernel<Simd512, Vector512<float>, Vector512<byte>> => new VectorMixedRows<Simd512, Vector512<float>, Vector512<byte>>(),
        VectorKernel<Simd256, Vector256<float>, Vector256<byte>> => new VectorMixedRows<Simd256, Vector256<float>, Vector256<byte>>(),
        VectorKernel<Simd128, Vector128<float>, Vector128<byte>> => new VectorMixedRows<Simd128, Vector128<float>, Vector128<byte>>(),
        _ => new ScalarMixedRows(),
    };

    /// <summary>Floats that <see cref="Arrange"/> writes.</summary>
    public abstract int ArrangedLength(MixedMatrix matrix);

    /// <summary>Brings a vector into the form in which <see cref="Multiply"/> reads it.</summary>
    public abstract void Arrange(MixedMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged);

    /// <summary>The products of <c>y.Length</c> rows with an arranged vector.</summary>
    public abstract void Multiply(MixedMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y);

    /// <summary>Unpacks rows into lines of <paramref name="stride"/> floats: the same bits in every vector width.</summary>
    public void Decode(MixedMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        float[] scales = ArrayPool<float>.Shared.Rent(matrix.Groups);
        byte[] unpacked = ArrayPool<byte>.Shared.Rent(matrix.GroupSize + MaxVectorBytes);
        for (int r = 0; r < rowCount; r++)
        {
            var headers = matrix.Headers(firstRow + r);
            var codes = matrix.Codes(firstRow + r);
            matrix.ReadScales(firstRow + r, scales);
            for (int group = 0; group < headers.Length; group++)
            {
                int start = group * matrix.GroupSize, depth = MixedMatrix.Depth(headers[group]);
                var part = weights.Slice((r * stride) + start, Math.Min(matrix.GroupSize, matrix.Columns - start));
                if (depth == 0)
                {
                    part.Fill(scales[group] * MixedMatrix.Shift(headers[group]));
                    continue;
                }

                Unpack(codes, depth, part.Length, unpacked);
                codes = codes[MixedMatrix.GroupBytes(part.Length, depth)..];
                Scale(unpacked, matrix.Levels(depth, MixedMatrix.ShiftIndex(headers[group])), scales[group], part);
            }
        }

        ArrayPool<byte>.Shared.Return(unpacked);
        ArrayPool<float>.Shared.Return(scales);
    }

    /// <summary>Unpacks the codes of a group; may write up to <see cref="MaxVectorBytes"/> more.</summary>
    protected abstract void Unpack(ReadOnlySpan<byte> packed, int depth, int count, byte[] codes);

    /// <summary>The weights that codes stand for.</summary>
    protected abstract void Scale(ReadOnlySpan<byte> codes, ReadOnlySpan<float> levels, float scale, Span<float> weights);
}

/// <summary>Without vectors: what the others are tested against.</summary>
internal sealed class ScalarMixedRows : MixedRows
{
    public override int ArrangedLength(MixedMatrix matrix) => matrix.Columns;

    public override void Arrange(MixedMatrix matrix, ReadOnlySpan<float> x, Span<float> arranged) => x.CopyTo(arranged);

    public override void Multiply(MixedMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        float[] line = ArrayPool<float>.Shared.Rent(matrix.Columns);
        for (int r = 0; r < y.Length; r++)
        {
            Decode(matrix, firstRow + r, 1, line, matrix.Columns);
            double sum = 0;
            for (int column = 0; column < matrix.Columns; column++)
            {
                sum += (double)line[column] * arranged[column];
            }

            y[r] = (float)sum;
        }

        ArrayPool<float>.Shared.Return(line);
    }

    protected override void Unpack(ReadOnlySpan<byte> packed, int depth, int count, byte[] codes) => CodePacking.Unpack(packed, depth, codes.AsSpan(0, count));

    protected override void Scale(ReadOnlySpan<byte> codes, ReadOnlySpan<float> levels, float scale, Span<float> weights)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = scale * levels[codes[i]];
        }
    }
}
