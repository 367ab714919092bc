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

    /// <summary>Floats in which <see cref="Accumulate"/> keeps the sums of so many groups.</summary>
    public static int SumsLength(MixedMatrix matrix, int groups) => checked(((2 * matrix.GroupSize) + 1) * groups);

    /// <summary>
    /// Adds a multiple of groups of a row to sums: those that are unpacked in their order, then those that are in the order of shuffled levels, then what all of a group have in common.
    /// </summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="row">The row.</param>
    /// <param name="firstGroup">The first of the groups.</param>
    /// <param name="groups">How many.</param>
    /// <param name="factor">Times this.</param>
    /// <param name="sums">See <see cref="SumsLength"/>; on a cache line.</param>
    public abstract void Accumulate(MixedMatrix matrix, int row, int firstGroup, int groups, float factor, Span<float> sums);

    /// <summary>Brings all of the sums together in the first of them, in their order.</summary>
    public abstract void Collect(MixedMatrix matrix, int groups, Span<float> sums);

    /// <summary>Adds a multiple of values to others.</summary>
    public abstract void AddMultiple(ReadOnlySpan<float> values, float factor, Span<float> sums);

    /// <summary>Unpacks rows into lines of <paramref name="stride"/> floats: the same bits in every vector width.</summary>
    public void Decode(MixedMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        for (int r = 0; r < rowCount; r++)
        {
            DecodeGroups(matrix, firstRow + r, 0, matrix.Groups, weights[(r * stride)..]);
        }
    }

    /// <summary>Unpacks groups of a row: the same bits in every vector width.</summary>
    public void DecodeGroups(MixedMatrix matrix, int row, int firstGroup, int groups, Span<float> weights)
    {
        float[] scales = ArrayPool<float>.Shared.Rent(groups);
        byte[] unpacked = ArrayPool<byte>.Shared.Rent(matrix.GroupSize + MaxVectorBytes);
        var headers = matrix.Headers(row).Slice(firstGroup, groups);
        var codes = matrix.CodesFrom(row, firstGroup);
        matrix.ReadScales(row, firstGroup, scales.AsSpan(0, groups));
        for (int group = 0; group < groups; group++)
        {
            int start = group * matrix.GroupSize, depth = MixedMatrix.Depth(headers[group]);
            var part = weights.Slice(start, Math.Min(matrix.GroupSize, matrix.Columns - (firstGroup * matrix.GroupSize) - start));
            if (depth == 0)
            {
                part.Fill(scales[group] * MixedMatrix.Shift(headers[group]));
                continue;
            }

            Unpack(codes, depth, part.Length, unpacked);
            codes = codes[MixedMatrix.GroupBytes(part.Length, depth)..];
            Scale(unpacked, matrix.Levels(depth, MixedMatrix.ShiftIndex(headers[group])), scales[group], part);
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

    public override void Accumulate(MixedMatrix matrix, int row, int firstGroup, int groups, float factor, Span<float> sums)
    {
        int first = firstGroup * matrix.GroupSize, count = Math.Min(groups * matrix.GroupSize, matrix.Columns - first);
        float[] line = ArrayPool<float>.Shared.Rent(count);
        DecodeGroups(matrix, row, firstGroup, groups, line);
        AddMultiple(line.AsSpan(0, count), factor, sums);
        ArrayPool<float>.Shared.Return(line);
    }

    public override void Collect(MixedMatrix matrix, int groups, Span<float> sums)
    {
    }

    public override void AddMultiple(ReadOnlySpan<float> values, float factor, Span<float> sums)
    {
        for (int i = 0; i < values.Length; i++)
        {
            sums[i] += values[i] * factor;
        }
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
