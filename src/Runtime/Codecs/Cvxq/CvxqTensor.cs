using System.Buffers;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Cvxq;

/// <summary>
/// CVXQ (Young, arXiv 2409.02026): each group of consecutive columns of a row has its own bit depth, 0 to 8, its scale, and its shift in eighths
/// of the scale: <c>weight = scale · (level[depth, code] + shift / 8)</c>, in one rounding. A group of depth 0 has no codes, and level 0.
/// </summary>
internal sealed class CvxqTensor : PackedTensor
{
    private const int Shifts = 16;

    private readonly Kernel kernel;
    private readonly Rotation? rotation;
    private readonly int groupSize;
    private readonly int groups; // of a row
    private readonly ByteView headers;
    private readonly ByteView codes;
    private readonly ScaleTable scales;
    private readonly long[] rowStarts; // the first byte of each row's codes, and the end
    private readonly float[] table; // [shift, level]

    public CvxqTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        groupSize = parts.PowerOfTwo("groupSize", 64, 1024);
        bool rotated = parts.Text("quantizer") switch
        {
            "normal" => true,
            "laplace" => false,
            _ => throw parts.Bad("parameter 'quantizer' is not laplace or normal"),
        };
        rotation = rotated ? new(Math.Max(Columns, 1), groupSize, parts.UInt64("seed"), kernel) : null;
        groups = CodeMatrix.GroupCount(Columns, groupSize);
        headers = parts.Part("headers", DType.U8, (long)Rows * groups);
        scales = new(parts, (long)Rows * groups);
        rowStarts = RowStarts(parts);
        codes = parts.Part("codes", DType.U8, rowStarts[^1]);
        table = Table(parts.Shared(rotated ? "levels.normal" : "levels.laplace", DType.F16, LevelCount).All<Half>(), parts);
        CountBits(parts);
    }

    /// <summary>Levels of all depths, 1 to 8, one after another: those of depth B begin at 2^B − 2.</summary>
    public const int LevelCount = 510;

    public override string Codec => "cvxq";

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination)
    {
        float[] factors = ArrayPool<float>.Shared.Rent(Columns);
        rotation?.InverseFactors(factors);
        for (int row = 0; row < rowCount; row++)
        {
            var values = destination.Slice(row * Columns, Columns);
            ReadRow(firstRow + row, values);
            rotation?.Invert(values, factors);
        }

        ArrayPool<float>.Shared.Return(factors);
    }

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        if (rotation is not { } turn)
        {
            BatchProduct.Multiply(kernel, new Panels(this), x, y, batch);
            return;
        }

        float[] rented = ArrayPool<float>.Shared.Rent(x.Length);
        var rotated = rented.AsSpan(0, x.Length);
        x.CopyTo(rotated);
        for (int b = 0; b < batch; b++)
        {
            turn.Apply(rotated.Slice(b * Columns, Columns));
        }

        BatchProduct.Multiply(kernel, new Panels(this), rotated, y, batch);
        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>A row as its codes say, not rotated back.</summary>
    private void ReadRow(int row, Span<float> values)
    {
        Span<byte> unpacked = stackalloc byte[groupSize];
        var depths = headers.Slice((long)row * groups, groups);
        long at = rowStarts[row];
        Span<float> scale = stackalloc float[1];
        for (int group = 0; group < groups; group++)
        {
            var part = values.Slice(group * groupSize, Math.Min(groupSize, values.Length - (group * groupSize)));
            (int depth, int shift) = (depths[group] & 15, depths[group] >> 4);
            scales.Read(((long)row * groups) + group, scale);
            float factor = scale[0];
            if (depth == 0)
            {
                part.Fill(factor * ((shift - 8) * 0.125f));
                continue;
            }

            int bytes = (int)CodePacking.RowBytes(part.Length, depth);
            var found = unpacked[..part.Length];
            CodePacking.Unpack(codes.Slice(at, bytes), depth, found);
            var levels = table.AsSpan((shift * LevelCount) + (1 << depth) - 2, 1 << depth);
            for (int i = 0; i < part.Length; i++)
            {
                part[i] = factor * levels[found[i]];
            }

            at += bytes;
        }
    }

    private long[] RowStarts(PackedParts parts)
    {
        if (groups == 0)
        {
            return [0]; // however many rows a file claims
        }

        long[] starts = new long[Rows + 1];
        for (int row = 0; row < Rows; row++)
        {
            var depths = headers.Slice((long)row * groups, groups);
            long at = starts[row];
            for (int group = 0; group < groups; group++)
            {
                int depth = depths[group] & 15;
                if (depth > 8)
                {
                    throw parts.Bad($"row {row} has a group of {depth} bits; a group has at most 8");
                }

                at += depth == 0 ? 0 : CodePacking.RowBytes(Math.Min(groupSize, Columns - (group * groupSize)), depth);
            }

            starts[row + 1] = at;
        }

        return starts;
    }

    private static float[] Table(ReadOnlySpan<Half> levels, PackedParts parts)
    {
        float[] table = new float[Shifts * LevelCount];
        for (int i = 0; i < table.Length; i++)
        {
            table[i] = (float)levels[i % LevelCount] + (((i / LevelCount) - 8) * 0.125f);
        }

        return Array.TrueForAll(table, float.IsFinite) ? table : throw parts.Bad("its table of levels holds a value that is not finite");
    }

    private readonly record struct Panels(CvxqTensor Tensor) : IRowPanels
    {
        public int Rows => Tensor.Rows;

        public int Columns => Tensor.Columns;

        public bool InPlace => false;

        public ReadOnlySpan<float> Read(int firstRow, int rowCount, Span<float> buffer, int stride)
        {
            for (int row = 0; row < rowCount; row++)
            {
                Tensor.ReadRow(firstRow + row, buffer.Slice(row * stride, Columns));
            }

            return buffer;
        }
    }
}
