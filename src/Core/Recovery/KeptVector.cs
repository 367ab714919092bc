using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Compress.Core.Emit;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recovery;

/// <summary>Vectors that are stored as they are: weights and biases of norms, biases of layers. Each number is of the size of the whole vector's.</summary>
internal sealed class KeptVector : Trainable
{
    private readonly StoredArray array;

    public KeptVector(StoredArray array)
    {
        this.array = array;
        Start = new float[array.ByteLength / array.DType.SizeInBytes()];
        Elements.ToFloat(array.DType, StoredTensor.Bytes(array), Start);
        Units = new float[Start.Length];
        Array.Fill(Units, MathF.Sqrt(FixedOrder.Dot(Start, Start) / Start.Length));
    }

    public override float[] Start { get; }

    public override float[] Units { get; }

    public override int WeightCount => Start.Length;

    /// <summary>True if numbers can be stored in the type.</summary>
    public static bool Holds(DType type) => type is DType.F32 or DType.F16 or DType.BF16;

    public override void Weights(ReadOnlySpan<float> values, Span<float> weights) => values.CopyTo(weights);

    public override void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        for (int i = 0; i < gradient.Length; i++)
        {
            gradient[i] += weights[i];
        }
    }

    public override IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values) => [(array.Name, array.DType switch
    {
        DType.F32 => MemoryMarshal.AsBytes(values).ToArray(),
        DType.F16 => StoredTensor.Halved(values),
        _ => UpperHalves(values),
    })];

    private static byte[] UpperHalves(ReadOnlySpan<float> values)
    {
        byte[] bytes = new byte[2 * values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)); // to nearest, ties to even
        }

        return bytes;
    }
}
