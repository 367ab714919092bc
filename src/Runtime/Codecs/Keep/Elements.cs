using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Keep;

/// <summary>
/// Converts stored elements to floats: F64 and wide integers are rounded to the nearest float (ties to even), all others are exact.
/// Bit-exact on every machine: NaNs of F16 and BF16 keep their sign and payload, those of the 8-bit floats are the quiet NaN.
/// </summary>
internal static class Elements
{
    private static readonly float[] E4M3 = EightBitFloats(mantissaBits: 3, bias: 7, hasInfinity: false);
    private static readonly float[] E5M2 = EightBitFloats(mantissaBits: 2, bias: 15, hasInfinity: true);

    // Elements converted at a time, so that their bytes can be counted in an int.
    private const int ChunkElements = 1 << 24;

    /// <summary>Converts <c>destination.Length</c> elements of a stored array.</summary>
    public static void Read(DType type, ByteView source, long firstElement, Span<float> destination)
    {
        int size = type.SizeInBytes();
        while (destination.Length > 0)
        {
            var part = destination[..Math.Min(ChunkElements, destination.Length)];
            ToFloat(type, source.Slice(firstElement * size, part.Length * size), part);
            firstElement += part.Length;
            destination = destination[part.Length..];
        }
    }

    /// <summary>Converts <c>destination.Length</c> elements.</summary>
    /// <param name="type">What <paramref name="source"/> holds.</param>
    /// <param name="source">As many elements as <paramref name="destination"/>, little-endian; need not be aligned.</param>
    /// <param name="destination">Receives the floats.</param>
    public static void ToFloat(DType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (source.Length != (long)destination.Length * type.SizeInBytes())
        {
            throw new ArgumentException($"{source.Length} bytes for {destination.Length} elements of {type.Name()}", nameof(source));
        }

        switch (type)
        {
            case DType.F64: Convert<double>(source, destination); break;
            case DType.F32: source.CopyTo(MemoryMarshal.AsBytes(destination)); break;
            case DType.F16: HalfToFloat(MemoryMarshal.Cast<byte, ushort>(source), destination); break;
            case DType.BF16: BFloat16ToFloat(MemoryMarshal.Cast<byte, ushort>(source), destination); break;
            case DType.F8E4M3: LookUp(E4M3, source, destination); break;
            case DType.F8E5M2: LookUp(E5M2, source, destination); break;
            case DType.I64: Convert<long>(source, destination); break;
            case DType.I32: Convert<int>(source, destination); break;
            case DType.I16: Convert<short>(source, destination); break;
            case DType.I8: Convert<sbyte>(source, destination); break;
            case DType.U64: Convert<ulong>(source, destination); break;
            case DType.U32: Convert<uint>(source, destination); break;
            case DType.U16: Convert<ushort>(source, destination); break;
            case DType.U8: Convert<byte>(source, destination); break;
            case DType.Bool: Convert<byte>(source, destination); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }
    }

    private static void Convert<T>(ReadOnlySpan<byte> source, Span<float> destination)
        where T : unmanaged, INumberBase<T>
    {
        var elements = MemoryMarshal.Cast<byte, T>(source);
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = float.CreateTruncating(elements[i]);
        }
    }

    private static void LookUp(float[] table, ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = table[source[i]];
        }
    }

    private static void BFloat16ToFloat(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= destination.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Create(source[i..]));
            (low << 16).AsSingle().CopyTo(destination[i..]);
            (high << 16).AsSingle().CopyTo(destination[(i + Vector256<uint>.Count)..]);
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    private static void HalfToFloat(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= destination.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Create(source[i..]));
            HalfToFloat(low).CopyTo(destination[i..]);
            HalfToFloat(high).CopyTo(destination[(i + Vector256<uint>.Count)..]);
        }

        for (; i < destination.Length; i++)
        {
            destination[i] = HalfToFloat(Vector256.CreateScalar((uint)source[i])).ToScalar();
        }
    }

    // Moves exponent and mantissa to their places and corrects the exponent's bias: by 112, once more for infinity and NaN (255 is not
    // 31 + 112). A subnormal is m · 2^-24: with 113 in the exponent its bits say 2^-14 + m · 2^-24, and the subtraction is exact.
    // In integers and not by the CPU's own instruction, which turns signalling NaNs into quiet ones.
    private static Vector256<float> HalfToFloat(Vector256<uint> half)
    {
        var magnitude = (half & Vector256.Create(0x7FFFu)) << 13;
        var exponent = magnitude & Vector256.Create(0x7C00u << 13);
        var special = Vector256.Equals(exponent, Vector256.Create(0x7C00u << 13)) & Vector256.Create(112u << 23);
        var normal = magnitude + Vector256.Create(112u << 23) + special;
        var smallest = Vector256.Create(113u << 23);
        var subnormal = ((magnitude + smallest).AsSingle() - smallest.AsSingle()).AsUInt32();
        var value = Vector256.ConditionalSelect(Vector256.Equals(exponent, Vector256<uint>.Zero), subnormal, normal);
        return (value | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }

    // By definition (OCP 8-bit floating point specification, revision 1.0, section 5).
    private static float[] EightBitFloats(int mantissaBits, int bias, bool hasInfinity)
    {
        float[] values = new float[256];
        int topExponent = 0x7F >> mantissaBits;
        int topMantissa = (1 << mantissaBits) - 1;
        for (int code = 0; code < 256; code++)
        {
            int exponent = (code & 0x7F) >> mantissaBits;
            int mantissa = code & topMantissa;
            float value;
            if (exponent == topExponent && (hasInfinity || mantissa == topMantissa))
            {
                value = hasInfinity && mantissa == 0 ? float.PositiveInfinity : BitConverter.UInt32BitsToSingle(0x7FC00000);
            }
            else if (exponent == 0)
            {
                value = MathF.ScaleB(mantissa, 1 - bias - mantissaBits);
            }
            else
            {
                value = MathF.ScaleB(mantissa + topMantissa + 1, exponent - bias - mantissaBits);
            }

            values[code] = code < 0x80 ? value : -value;
        }

        return values;
    }
}
