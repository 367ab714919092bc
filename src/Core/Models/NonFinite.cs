using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Models;

/// <summary>Looks for NaN and infinity in stored elements, as fast as memory delivers them.</summary>
internal static class NonFinite
{
    /// <summary>The index of the first element that is NaN or infinite, or −1. Integers have none.</summary>
    /// <param name="type">The type of the elements.</param>
    /// <param name="elements">Their bytes; need not be aligned.</param>
    public static int IndexIn(DType type, ReadOnlySpan<byte> elements) => type switch
    {
        // In all but E4M3 they are the values whose exponent is all ones; E4M3 has no infinity and one NaN, all ones.
        DType.F64 => Find(elements, 0x7FF0_0000_0000_0000UL),
        DType.F32 => Find(elements, 0x7F80_0000u),
        DType.F16 => Find(elements, (ushort)0x7C00),
        DType.BF16 => Find(elements, (ushort)0x7F80),
        DType.F8E4M3 => Find(elements, (byte)0x7F),
        DType.F8E5M2 => Find(elements, (byte)0x7C),
        _ => -1,
    };

    /// <summary>The index of the first double that is finite but rounds to an infinite float, or −1.</summary>
    public static int BeyondFloat(ReadOnlySpan<byte> elements)
    {
        var values = MemoryMarshal.Cast<byte, double>(elements);
        for (int i = 0; i < values.Length; i++)
        {
            if (double.IsFinite(values[i]) && !float.IsFinite((float)values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    // The first element that has all bits of the mask.
    private static int Find<T>(ReadOnlySpan<byte> bytes, T mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        var elements = MemoryMarshal.Cast<byte, T>(bytes);
        var masks = Vector256.Create(mask);
        int step = 4 * Vector256<T>.Count;
        int i = 0;
        for (; i <= elements.Length - step; i += step)
        {
            var part = elements.Slice(i, step);
            var found = Vector256.Equals(Vector256.Create(part) & masks, masks)
                | Vector256.Equals(Vector256.Create(part[Vector256<T>.Count..]) & masks, masks)
                | Vector256.Equals(Vector256.Create(part[(2 * Vector256<T>.Count)..]) & masks, masks)
                | Vector256.Equals(Vector256.Create(part[(3 * Vector256<T>.Count)..]) & masks, masks);
            if (found != Vector256<T>.Zero)
            {
                break;
            }
        }

        for (; i < elements.Length; i++)
        {
            if ((elements[i] & mask) == mask)
            {
                return i;
            }
        }

        return -1;
    }
}
