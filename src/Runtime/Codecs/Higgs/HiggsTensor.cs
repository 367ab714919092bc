using System.Buffers;
using System.Numerics;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Higgs;

/// <summary>
/// HIGGS (Malinovskii et al., arXiv 2411.17525): the rows are rotated by a randomized Hadamard transform, after which their
/// entries are nearly normal; each <c>p</c> of them is a code of a grid of <c>n</c> points, times a scale for each group.
/// </summary>
internal sealed class HiggsTensor : PackedTensor
{
    private readonly int p;
    private readonly int bits;
    private readonly int groupSize;
    private readonly int groups;
    private readonly int codesPerRow;
    private readonly Rotation rotation;
    private readonly ByteView codes;
    private readonly ScaleTable scales;
    private readonly float[] grid; // [2^bits, p]

    public HiggsTensor(PackedParts parts)
        : base(parts)
    {
        p = parts.Int("p", 1, 2);
        int n = parts.Int("n", 2, 256);
        bits = BitOperations.Log2((uint)n - 1) + 1;
        groupSize = parts.Int("groupSize", 16, 4096);
        if (!BitOperations.IsPow2(groupSize))
        {
            throw parts.Bad($"parameter 'groupSize' is {groupSize}, not a power of two");
        }

        rotation = new(Math.Max(Columns, 1), groupSize, parts.UInt64("seed"));
        groups = (int)(((long)Columns + groupSize - 1) / groupSize);
        codesPerRow = (int)(((long)Columns + p - 1) / p);
        codes = parts.Part("codes", DType.U8, Rows * CodePacking.RowBytes(codesPerRow, bits));
        scales = new(parts, (long)Rows * groups);
        grid = ReadGrid(parts, p, n, 1 << bits);
        CountBits(parts);
    }

    public override string Codec => "higgs";

    private protected override void DequantizeRow(int row, Span<float> destination)
    {
        DecodeRow(row, destination);
        rotation.Invert(destination);
    }

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        float[] buffer = ArrayPool<float>.Shared.Rent(2 * Columns);
        var rotated = buffer.AsSpan(0, Columns);
        var weights = buffer.AsSpan(Columns, Columns);
        for (int b = 0; b < batch; b++)
        {
            x.Slice(b * Columns, Columns).CopyTo(rotated);
            rotation.Apply(rotated);
            for (int row = 0; row < Rows; row++)
            {
                DecodeRow(row, weights);
                float sum = 0;
                for (int i = 0; i < weights.Length; i++)
                {
                    sum += weights[i] * rotated[i];
                }

                y[(b * Rows) + row] = sum;
            }
        }

        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>A table of 2^bits entries, so that no code reads outside it; entries from n on are zero.</summary>
    private static float[] ReadGrid(PackedParts parts, int p, int n, int entries)
    {
        float[] grid = new float[entries * p];
        string name = $"grid.p{p}n{n}";
        if (n <= 16)
        {
            var stored = parts.Shared(name, DType.BF16, n * p).All<ushort>();
            for (int i = 0; i < stored.Length; i++)
            {
                grid[i] = BitConverter.UInt32BitsToSingle((uint)stored[i] << 16);
            }
        }
        else
        {
            var stored = parts.Shared(name, DType.F16, n * p).All<Half>();
            for (int i = 0; i < stored.Length; i++)
            {
                grid[i] = (float)stored[i];
            }
        }

        return grid;
    }

    /// <summary>The rotated row: grid values times scales.</summary>
    private void DecodeRow(int row, Span<float> destination)
    {
        int rowBytes = (int)CodePacking.RowBytes(codesPerRow, bits);
        byte[] unpacked = ArrayPool<byte>.Shared.Rent(codesPerRow);
        var rowCodes = unpacked.AsSpan(0, codesPerRow);
        CodePacking.Unpack(codes.Slice((long)row * rowBytes, rowBytes), bits, rowCodes);
        float[] rowScales = ArrayPool<float>.Shared.Rent(groups);
        scales.Read((long)row * groups, rowScales.AsSpan(0, groups));
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = grid[(rowCodes[i / p] * p) + (i % p)] * rowScales[i / groupSize];
        }

        ArrayPool<byte>.Shared.Return(unpacked);
        ArrayPool<float>.Shared.Return(rowScales);
    }
}
