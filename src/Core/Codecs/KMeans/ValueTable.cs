using System.Buffers.Binary;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.KMeans;

/// <summary>
/// Shared values as they are stored: times a power of two for the table, which brings the largest into [2^14, 2^15), rounded to bfloat16 if there are no more than 16 (the kernels then look them up
/// in registers; the steps between them dwarf its 8 bits), else to half.
/// </summary>
internal sealed class ValueTable
{
    // The last of each type below 2^15: times the largest scale, 2^15 would be infinite.
    private const float LargestHalf = 32752, LargestBFloat16 = 32640;

    // A float's smallest subnormal.
    private const int MinPower = -149;

    private readonly double[] boundaries;

    /// <param name="values">At most 2^bits, in any order.</param>
    /// <param name="bits">Bits of a code.</param>
    public ValueTable(double[] values, int bits)
    {
        bool isBFloat16 = StoredType(bits) == DType.BF16;
        double largest = values.Length == 0 ? 0 : Math.Max(Math.Abs(values.Max()), Math.Abs(values.Min()));
        int power = largest == 0 ? 0 : Math.Max(Math.ILogB(largest) - 14, MinPower);
        Scale = largest == 0 ? 0 : MathF.ScaleB(1, power);
        float limit = isBFloat16 ? LargestBFloat16 : LargestHalf;
        float[] stored = new float[1 << bits];
        var sorted = values.Order().ToArray();
        for (int i = 0; i < stored.Length && sorted.Length > 0; i++)
        {
            // What is left over of the table repeats the last value.
            float value = Math.Clamp((float)Math.ScaleB(sorted[Math.Min(i, sorted.Length - 1)], -power), -limit, limit);
            stored[i] = isBFloat16 ? RoundToBFloat16(value) : (float)(Half)value;
        }

        boundaries = new double[stored.Length - 1];
        for (int i = 0; i < boundaries.Length; i++)
        {
            boundaries[i] = 0.5 * ((double)(Scale * stored[i]) + (Scale * stored[i + 1]));
        }

        Bytes = new byte[2 * stored.Length];
        for (int i = 0; i < stored.Length; i++)
        {
            ushort half = isBFloat16 ? (ushort)(BitConverter.SingleToUInt32Bits(stored[i]) >> 16) : BitConverter.HalfToUInt16Bits((Half)stored[i]);
            BinaryPrimitives.WriteUInt16LittleEndian(Bytes.AsSpan(2 * i), half);
        }
    }

    /// <summary>The power of two; 0 if all values are zero.</summary>
    public float Scale { get; }

    /// <summary>The values as stored, ascending.</summary>
    public byte[] Bytes { get; }

    /// <summary>The element type of tables for codes of so many bits.</summary>
    public static DType StoredType(int bits) => bits <= 4 ? DType.BF16 : DType.F16;

    /// <summary>The codes of the nearest values, of two at the same distance the lower one's.</summary>
    public void Nearest(ReadOnlySpan<float> weights, Span<byte> codes)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            int code = 0;
            for (int step = (boundaries.Length + 1) / 2; step > 0; step /= 2)
            {
                code += weights[i] > boundaries[code + step - 1] ? step : 0;
            }

            codes[i] = (byte)code;
        }
    }

    private static float RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }
}
