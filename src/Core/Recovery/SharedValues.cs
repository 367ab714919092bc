using System.Buffers.Binary;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs;

namespace Compress.Core.Recovery;

/// <summary>
/// The values that weights of a <c>kmeans</c> tensor share (Deep Compression, Han et al., arXiv 1510.00149, §3.3): the gradient of a value is the sum over all weights that have it. Zero stays zero, so that what was
/// pruned stays so.
/// </summary>
internal sealed class SharedValues : Trainable
{
    // Beyond it, times the largest scale, a value would be infinite; of bfloat16 the last below.
    private const float LargestHalf = 32752, LargestBFloat16 = 32640;

    private readonly StoredTensor stored;
    private readonly byte[] codes; // [rows, columns]
    private readonly float[] scales; // of each table
    private readonly int columns, share, size;
    private readonly bool isBFloat16;

    public SharedValues(StoredTensor stored, int rows, int columns)
    {
        (this.stored, this.columns, share) = (stored, columns, stored.Int("shareRows"));
        int bits = stored.Int("bits"), rowBytes = (int)CodePacking.RowBytes(columns, bits);
        (size, isBFloat16) = (1 << bits, bits <= 4);
        var packed = stored.Parts().Codes("codes", rows, columns, size).Codes;
        codes = new byte[checked(rows * columns)];
        for (int row = 0; row < rows; row++)
        {
            CodePacking.Unpack(packed.Slice((long)row * rowBytes, rowBytes), bits, codes.AsSpan(row * columns, columns));
        }

        float unit = MathF.ScaleB(1, stored.Int("scaleExponent"));
        scales = Array.ConvertAll(stored.Halves("scales"), half => half * unit);
        Start = isBFloat16 ? stored.BFloats("values") : stored.Halves("values");
        Units = new float[Start.Length];
        for (int i = 0; i < Start.Length; i++)
        {
            Start[i] *= scales[i / size];
        }

        for (int table = 0; table < scales.Length; table++)
        {
            var own = Start.AsSpan(table * size, size);
            float unitOfTable = MathF.Sqrt(FixedOrder.Dot(own, own) / size);
            for (int i = 0; i < size; i++)
            {
                Units[(table * size) + i] = own[i] == 0 ? 0 : unitOfTable;
            }
        }
    }

    public override float[] Start { get; }

    public override float[] Units { get; }

    public override int WeightCount => codes.Length;

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights)
    {
        for (int i = 0; i < codes.Length; i++)
        {
            weights[i] = values[Index(i)];
        }
    }

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        for (int i = 0; i < codes.Length; i++)
        {
            gradient[Index(i)] += weights[i];
        }
    }

    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values)
    {
        float[] halves = new float[values.Length];
        float limit = isBFloat16 ? LargestBFloat16 : LargestHalf;
        for (int i = 0; i < halves.Length; i++)
        {
            float scale = scales[i / size];
            halves[i] = scale == 0 ? 0 : Math.Clamp(values[i] / scale, -limit, limit);
        }

        return [(stored.NameOf("values"), isBFloat16 ? StoredTensor.BFloats(halves) : StoredTensor.Halved(halves))];
    }

    private int Index(int weight) => (weight / columns / share * size) + codes[weight];
}
