using System.Numerics;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Compress.Runtime.Codecs;

/// <summary>
/// Rows of codes of 1 to 12 bits. A row of m codes is m / 32 full <em>strips</em> of 32 codes, 4·bits bytes each, then the last
/// m % 32 codes as a little-endian bit stream, filled up to a whole byte with zeros.
/// Codes of up to 8 bits are bytes; longer ones are 16-bit numbers.
/// A strip is made of planes, one for each set bit of <c>bits</c> (8, 4, 2, 1, in that order); the first holds the lowest bits of
/// each code, the next the following ones. A plane of width w has 4·w bytes: byte i holds the w bits of code i + 4·w·j at bit w·j.
/// So a vector register gets 32 codes in their natural order from one broadcast, one shift by lane and one mask per plane.
/// </summary>
internal static partial class CodePacking
{
    /// <summary>Codes of a full strip.</summary>
    public const int StripCodes = 32;

    /// <summary>Bytes of a full strip.</summary>
    public static int StripBytes(int bits) => 4 * bits;

    /// <summary>Bytes of a row of codes.</summary>
    public static long RowBytes(long count, int bits) => (count / StripCodes * StripBytes(bits)) + (((count % StripCodes * bits) + 7) / 8);

    /// <summary>Packs a row.</summary>
    /// <param name="codes">The codes, each below 2^bits.</param>
    /// <param name="bits">Bits of a code, 1 to 8.</param>
    /// <param name="packed">Receives <see cref="RowBytes"/> bytes.</param>
    public static void Pack(ReadOnlySpan<byte> codes, int bits, Span<byte> packed)
    {
        packed = packed[..(int)RowBytes(codes.Length, bits)];
        while (codes.Length >= StripCodes)
        {
            PackStrip(codes, bits, packed);
            codes = codes[StripCodes..];
            packed = packed[StripBytes(bits)..];
        }

        PackTail(codes, bits, packed);
    }

    /// <summary>Unpacks a row: the inverse of <see cref="Pack(ReadOnlySpan{byte}, int, Span{byte})"/>.</summary>
    /// <param name="packed">At least <see cref="RowBytes"/> bytes.</param>
    /// <param name="bits">Bits of a code, 1 to 8.</param>
    /// <param name="codes">Receives the codes; its length is the length of the row.</param>
    public static void Unpack(ReadOnlySpan<byte> packed, int bits, Span<byte> codes)
    {
        packed = packed[..(int)RowBytes(codes.Length, bits)];
        if (bits == 8)
        {
            packed.CopyTo(codes);
            return;
        }

        while (codes.Length >= StripCodes)
        {
            UnpackStrip(packed, bits, codes);
            codes = codes[StripCodes..];
            packed = packed[StripBytes(bits)..];
        }

        UnpackTail(packed, bits, codes);
    }

    /// <summary>Unpacks <c>codes.Length</c> codes from <paramref name="first"/> of a row of <paramref name="count"/> codes.</summary>
    public static void UnpackRange(ByteView packed, int bits, long count, long first, Span<byte> codes)
    {
        Span<byte> strip = stackalloc byte[StripCodes];
        while (codes.Length > 0)
        {
            if (first % StripCodes == 0 && codes.Length >= StripCodes)
            {
                int whole = codes.Length / StripCodes * StripCodes;
                Unpack(packed.Slice(first / 8 * bits, whole / 8 * bits), bits, codes[..whole]);
                codes = codes[whole..];
                first += whole;
                continue;
            }

            long start = first & -StripCodes;
            int length = (int)Math.Min(StripCodes, count - start);
            Unpack(packed.Slice(start / 8 * bits, (int)RowBytes(length, bits)), bits, strip[..length]);
            int skip = (int)(first - start);
            int taken = Math.Min(length - skip, codes.Length);
            strip.Slice(skip, taken).CopyTo(codes);
            codes = codes[taken..];
            first += taken;
        }
    }

    /// <summary>Writes the little-endian bit stream that ends a row.</summary>
    private static void PackTail<T>(ReadOnlySpan<T> codes, int bits, Span<byte> packed)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint pending = 0;
        int pendingBits = 0, at = 0;
        foreach (T code in codes)
        {
            pending |= uint.CreateTruncating(code) << pendingBits;
            for (pendingBits += bits; pendingBits >= 8; pendingBits -= 8, pending >>= 8)
            {
                packed[at++] = (byte)pending;
            }
        }

        if (pendingBits > 0)
        {
            packed[at] = (byte)pending;
        }
    }

    /// <summary>Reads the little-endian bit stream that ends a row.</summary>
    private static void UnpackTail<T>(ReadOnlySpan<byte> packed, int bits, Span<T> codes)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint pending = 0;
        int pendingBits = 0, at = 0;
        for (int i = 0; i < codes.Length; i++)
        {
            for (; pendingBits < bits; pendingBits += 8)
            {
                pending |= (uint)packed[at++] << pendingBits;
            }

            codes[i] = T.CreateTruncating(pending & ((1u << bits) - 1));
            pending >>= bits;
            pendingBits -= bits;
        }
    }

    // Strips are worked on as four 64-bit words of eight codes.
    private static void PackStrip(ReadOnlySpan<byte> codes, int bits, Span<byte> packed)
    {
        ulong c0 = ReadUInt64LittleEndian(codes), c1 = ReadUInt64LittleEndian(codes[8..]);
        ulong c2 = ReadUInt64LittleEndian(codes[16..]), c3 = ReadUInt64LittleEndian(codes[24..]);
        if (bits == 8)
        {
            codes[..StripCodes].CopyTo(packed);
            return;
        }

        if ((bits & 4) != 0)
        {
            WriteUInt64LittleEndian(packed, (c0 & Low4) | ((c2 & Low4) << 4));
            WriteUInt64LittleEndian(packed[8..], (c1 & Low4) | ((c3 & Low4) << 4));
            packed = packed[16..];
            (c0, c1, c2, c3) = (c0 >> 4, c1 >> 4, c2 >> 4, c3 >> 4);
        }

        if ((bits & 2) != 0)
        {
            WriteUInt64LittleEndian(packed, (c0 & Low2) | ((c1 & Low2) << 2) | ((c2 & Low2) << 4) | ((c3 & Low2) << 6));
            packed = packed[8..];
            (c0, c1, c2, c3) = (c0 >> 2, c1 >> 2, c2 >> 2, c3 >> 2);
        }

        if ((bits & 1) != 0)
        {
            // Word j holds the codes of bits 2·j (its lower half) and 2·j + 1 (its upper half).
            ulong pairs = (c0 & Low1) | ((c1 & Low1) << 2) | ((c2 & Low1) << 4) | ((c3 & Low1) << 6);
            WriteUInt32LittleEndian(packed, (uint)pairs | (uint)(pairs >> 31));
        }
    }

    private static void UnpackStrip(ReadOnlySpan<byte> packed, int bits, Span<byte> codes)
    {
        ulong c0 = 0, c1 = 0, c2 = 0, c3 = 0;
        int shift = 0;
        if ((bits & 4) != 0)
        {
            ulong low = ReadUInt64LittleEndian(packed), high = ReadUInt64LittleEndian(packed[8..]);
            (c0, c1, c2, c3) = (low & Low4, high & Low4, (low >> 4) & Low4, (high >> 4) & Low4);
            packed = packed[16..];
            shift = 4;
        }

        if ((bits & 2) != 0)
        {
            ulong plane = ReadUInt64LittleEndian(packed);
            c0 |= (plane & Low2) << shift;
            c1 |= ((plane >> 2) & Low2) << shift;
            c2 |= ((plane >> 4) & Low2) << shift;
            c3 |= ((plane >> 6) & Low2) << shift;
            packed = packed[8..];
            shift += 2;
        }

        if ((bits & 1) != 0)
        {
            uint plane = ReadUInt32LittleEndian(packed);
            ulong pairs = plane | ((ulong)(plane >> 1) << 32);
            c0 |= (pairs & Low1) << shift;
            c1 |= ((pairs >> 2) & Low1) << shift;
            c2 |= ((pairs >> 4) & Low1) << shift;
            c3 |= ((pairs >> 6) & Low1) << shift;
        }

        WriteUInt64LittleEndian(codes, c0);
        WriteUInt64LittleEndian(codes[8..], c1);
        WriteUInt64LittleEndian(codes[16..], c2);
        WriteUInt64LittleEndian(codes[24..], c3);
    }

    private const ulong Low4 = 0x0F0F_0F0F_0F0F_0F0F;
    private const ulong Low2 = 0x0303_0303_0303_0303;
    private const ulong Low1 = 0x0101_0101_0101_0101;
}
