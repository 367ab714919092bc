using System.Buffers;
using System.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Uniform;

/// <summary>
/// Uniform quantization: w = scale · (code − zero), rounded once. Symmetric tensors have zero = 2^(bits−1) − 1 throughout (so that
/// codes 0 … 2^bits − 2 stand for −zero … zero), others a stored zero point for each scale.
/// A scale serves the whole tensor, a row, or a group of consecutive columns of a row.
/// </summary>
internal sealed class UniformTensor : PackedTensor
{
    private readonly int bits;
    private readonly bool symmetric;
    private readonly int groupSize;
    private readonly int groups;
    private readonly int scaleRowStride; // scales from one row to the next: 0 if one serves the whole tensor
    private readonly long scaleCount;
    private readonly ByteView codes;
    private readonly ByteView zeros;
    private readonly ScaleTable scales;

    public UniformTensor(PackedParts parts)
        : base(parts)
    {
        bits = parts.Int("bits", 2, 8);
        symmetric = parts.Bool("symmetric");
        string granularity = parts.Text("granularity");
        groupSize = granularity switch
        {
            "tensor" or "channel" => Math.Max(Columns, 1),
            "group" => parts.Int("groupSize", 16, 4096),
            _ => throw parts.Bad($"parameter 'granularity' is '{granularity}', not tensor, channel or group"),
        };
        if (granularity == "group" && !BitOperations.IsPow2(groupSize))
        {
            throw parts.Bad($"parameter 'groupSize' is {groupSize}, not a power of two");
        }

        groups = (int)(((long)Columns + groupSize - 1) / groupSize);
        scaleRowStride = granularity == "tensor" ? 0 : groups;
        scaleCount = granularity == "tensor" ? 1 : (long)Rows * groups;
        codes = parts.Part("codes", DType.U8, Rows * CodePacking.RowBytes(Columns, bits));
        scales = new(parts, scaleCount);
        if (!symmetric)
        {
            zeros = parts.Part("zeros", DType.U8, CodePacking.RowBytes(scaleCount, bits));
        }

        CountBits(parts);
    }

    public override string Codec => "uniform";

    private protected override void DequantizeRow(int row, Span<float> destination)
    {
        int rowBytes = (int)CodePacking.RowBytes(Columns, bits);
        byte[] unpacked = ArrayPool<byte>.Shared.Rent(Columns + groups);
        var rowCodes = unpacked.AsSpan(0, Columns);
        var rowZeros = unpacked.AsSpan(Columns, groups);
        CodePacking.Unpack(codes.Slice((long)row * rowBytes, rowBytes), bits, rowCodes);
        rowZeros.Fill((byte)((1 << (bits - 1)) - 1));
        long first = (long)row * scaleRowStride;
        if (!symmetric)
        {
            CodePacking.UnpackRange(zeros, bits, scaleCount, first, rowZeros);
        }

        float[] rowScales = ArrayPool<float>.Shared.Rent(groups);
        scales.Read(first, rowScales.AsSpan(0, groups));
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = rowScales[i / groupSize] * (rowCodes[i] - rowZeros[i / groupSize]);
        }

        ArrayPool<byte>.Shared.Return(unpacked);
        ArrayPool<float>.Shared.Return(rowScales);
    }

    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch)
    {
        float[] weights = ArrayPool<float>.Shared.Rent(Columns);
        for (int row = 0; row < Rows; row++)
        {
            DequantizeRow(row, weights.AsSpan(0, Columns));
            for (int b = 0; b < batch; b++)
            {
                float sum = 0;
                for (int i = 0; i < Columns; i++)
                {
                    sum += weights[i] * x[(b * Columns) + i];
                }

                y[(b * Rows) + row] = sum;
            }
        }

        ArrayPool<float>.Shared.Return(weights);
    }
}
