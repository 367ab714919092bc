using System.Runtime.InteropServices;
using Compress.Core.Emit;
using Compress.Core.Numerics;
using Compress.Runtime.Codecs.Keep;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recovery;

/// <summary>Numbers that are stored as they are: factors of matrices, weights and biases of norms, biases of layers. Each number is of the size of the whole vector's.</summary>
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
        _ => StoredTensor.BFloats(values),
    })];
}
