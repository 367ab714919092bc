using System.Runtime.InteropServices;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models;

/// <summary>Floats as elements of a narrower float type: rounded to nearest, ties to even.</summary>
internal static class RoundedElements
{
    /// <summary>The value as the type holds it.</summary>
    public static float Round(float value, DType type) => type switch
    {
        DType.F16 => (float)(Half)value,
        DType.BF16 => RoundToBFloat16(value),
        _ => value,
    };

    /// <summary>Writes elements, little-endian.</summary>
    /// <param name="values">The values.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="stream">Receives the elements.</param>
    public static void Write(ReadOnlySpan<float> values, DType type, Stream stream)
    {
        switch (type)
        {
            case DType.F32:
                stream.Write(MemoryMarshal.AsBytes(values));
                break;
            case DType.F16:
                var halves = new Half[values.Length];
                for (int i = 0; i < halves.Length; i++)
                {
                    halves[i] = (Half)values[i];
                }

                stream.Write(MemoryMarshal.AsBytes(halves));
                break;
            case DType.BF16:
                ushort[] upper = new ushort[values.Length];
                for (int i = 0; i < upper.Length; i++)
                {
                    upper[i] = (ushort)(BitConverter.SingleToUInt32Bits(RoundToBFloat16(values[i])) >> 16);
                }

                stream.Write(MemoryMarshal.AsBytes(upper));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that tensors are rounded to");
        }
    }

    private static float RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? BitConverter.UInt32BitsToSingle((bits | 0x0040_0000) & 0xFFFF_0000) // stays a NaN whatever its payload
            : BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF_0000);
    }
}
