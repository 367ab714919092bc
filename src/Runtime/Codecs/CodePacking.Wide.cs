using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Runtime.Codecs;

/// <content>
/// Codes as 16-bit numbers. The lowest 8 bits of a strip of longer codes are a plane of their own, the strip of the others follows.
/// </content>
internal static partial class CodePacking
{
    /// <summary>The longest code.</summary>
    public const int MaxBits = 12;

    /// <summary>Packs a row.</summary>
    /// <param name="codes">The codes, each below 2^bits.</param>
    /// <param name="bits">Bits of a code, 1 to <see cref="MaxBits"/>.</param>
    /// <param name="packed">Receives <see cref="RowBytes"/> bytes.</param>
    public static void Pack(ReadOnlySpan<ushort> codes, int bits, Span<byte> packed)
    {
        Span<byte> low = stackalloc byte[StripCodes], high = stackalloc byte[StripCodes];
        packed = packed[..(int)RowBytes(codes.Length, bits)];
        for (; codes.Length >= StripCodes; codes = codes[StripCodes..])
        {
            for (int i = 0; i < StripCodes; i++)
            {
                (low[i], high[i]) = ((byte)codes[i], (byte)(codes[i] >> 8));
            }

            PackStrip(low, Math.Min(bits, 8), packed);
            if (bits > 8)
            {
                PackStrip(high, bits - 8, packed[StripBytes(8)..]);
            }

            packed = packed[StripBytes(bits)..];
        }

        PackTail(codes, bits, packed);
    }

    /// <summary>Unpacks a row: the inverse of <see cref="Pack(ReadOnlySpan{ushort}, int, Span{byte})"/>.</summary>
    /// <param name="packed">At least <see cref="RowBytes"/> bytes.</param>
    /// <param name="bits">Bits of a code, 1 to <see cref="MaxBits"/>.</param>
    /// <param name="codes">Receives the codes; its length is the length of the row.</param>
    public static void Unpack(ReadOnlySpan<byte> packed, int bits, Span<ushort> codes)
    {
        Span<byte> low = stackalloc byte[StripCodes], high = stackalloc byte[StripCodes];
        high.Clear();
        packed = packed[..(int)RowBytes(codes.Length, bits)];
        for (; codes.Length >= StripCodes; codes = codes[StripCodes..])
        {
            Unpack(packed[..StripBytes(Math.Min(bits, 8))], Math.Min(bits, 8), low);
            if (bits > 8)
            {
                UnpackStrip(packed[StripBytes(8)..], bits - 8, high);
            }

            Join(low, high, codes);
            packed = packed[StripBytes(bits)..];
        }

        UnpackTail(packed, bits, codes);
    }

    private static void Join(ReadOnlySpan<byte> low, ReadOnlySpan<byte> high, Span<ushort> codes)
    {
        ref byte lows = ref MemoryMarshal.GetReference(low);
        ref byte highs = ref MemoryMarshal.GetReference(high);
        ref ushort words = ref MemoryMarshal.GetReference(codes);
        for (nuint i = 0; i < StripCodes; i += 16)
        {
            var (l, h) = (Vector128.LoadUnsafe(ref lows, i), Vector128.LoadUnsafe(ref highs, i));
            (Vector128.WidenLower(l) | (Vector128.WidenLower(h) << 8)).StoreUnsafe(ref words, i);
            (Vector128.WidenUpper(l) | (Vector128.WidenUpper(h) << 8)).StoreUnsafe(ref words, i + 8);
        }
    }
}
