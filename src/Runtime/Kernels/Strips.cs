using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>Unpacks whole rows of codes and of values from packed strips.</summary>
internal static unsafe class Strips<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static int UnitCodes => Unsafe.SizeOf<B>();

    /// <summary>How many codes of a row fill vectors and lie in full strips.</summary>
    public static int WholeCodes(int codesPerRow) => codesPerRow / CodePacking.StripCodes * CodePacking.StripCodes / UnitCodes * UnitCodes;

    /// <summary>Unpacks the row's codes into <see cref="RowCursor.Unpacked"/>.</summary>
    public static ReadOnlySpan<byte> Unpack(int bits, in RowCursor row)
    {
        Unpack(row.Packed, bits, row.CodeCount, row.Unpacked);
        return row.Unpacked;
    }

    /// <summary>Unpacks <paramref name="count"/> codes of a row, one a byte.</summary>
    public static void Unpack(ReadOnlySpan<byte> row, int bits, int count, Span<byte> codes)
    {
        int whole = WholeCodes(count);
        ref byte unpacked = ref MemoryMarshal.GetReference(codes);
        fixed (byte* packed = row)
        {
            switch (bits)
            {
                case 1: Expand<One>(packed, whole, ref unpacked); break;
                case 2: Expand<Two>(packed, whole, ref unpacked); break;
                case 3: Expand<Three>(packed, whole, ref unpacked); break;
                case 4: Expand<Four>(packed, whole, ref unpacked); break;
                case 5: Expand<Five>(packed, whole, ref unpacked); break;
                case 6: Expand<Six>(packed, whole, ref unpacked); break;
                case 7: Expand<Seven>(packed, whole, ref unpacked); break;
                default: Expand<Eight>(packed, whole, ref unpacked); break;
            }
        }

        if (whole < count)
        {
            CodePacking.Unpack(row[(int)CodePacking.RowBytes(whole, bits)..], bits, codes[whole..count]);
        }
    }

    private static void Expand<TBits>(byte* packed, int count, ref byte codes)
        where TBits : struct, IConstant
    {
        for (nuint unit = 0; unit < (nuint)(count / UnitCodes); unit++)
        {
            S.StoreBytes(S.Codes(ref *packed, unit, TBits.Value), ref Unsafe.Add(ref codes, unit * (nuint)UnitCodes));
        }
    }

    /// <summary>Unpacks codes of 9 to 12 bits of a row.</summary>
    public static void Unpack(ReadOnlySpan<byte> row, int bits, Span<ushort> codes)
    {
        int whole = codes.Length / CodePacking.StripCodes;
        fixed (byte* packed = row)
        fixed (ushort* unpacked = codes)
        {
            switch (bits)
            {
                case 9: Expand<One>(packed, whole, unpacked); break;
                case 10: Expand<Two>(packed, whole, unpacked); break;
                case 11: Expand<Three>(packed, whole, unpacked); break;
                default: Expand<Four>(packed, whole, unpacked); break;
            }
        }

        CodePacking.Unpack(row[(whole * CodePacking.StripBytes(bits))..], bits, codes[(whole * CodePacking.StripCodes)..]);
    }

    // A strip fills a vector of 256 bits, whatever the width of the others.
    private static void Expand<THighBits>(byte* packed, int strips, ushort* codes)
        where THighBits : struct, IConstant
    {
        for (int strip = 0; strip < strips; strip++, codes += CodePacking.StripCodes, packed += CodePacking.StripBytes(8 + THighBits.Value))
        {
            var low = Vector256.Load(packed);
            var high = Simd256.Codes(ref *(packed + CodePacking.StripBytes(8)), 0, THighBits.Value);
            Vector256.Store(Vector256.WidenLower(low) | (Vector256.WidenLower(high) << 8), codes);
            Vector256.Store(Vector256.WidenUpper(low) | (Vector256.WidenUpper(high) << 8), codes + Vector256<ushort>.Count);
        }
    }

    /// <summary>Unpacks rows of at most 16 different bfloat16 values into lines of <paramref name="stride"/> floats.</summary>
    public static void DecodeRows(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        Span<float> last = stackalloc float[RowCursor.Padding];
        using var row = new RowCursor(matrix);
        for (int r = 0; r < rowCount; r++)
        {
            row.MoveTo(firstRow + r);
            var codes = Unpack(matrix.Bits, row);
            var line = weights.Slice(r * stride, matrix.Columns);
            for (int group = 0; group < row.Groups; group++)
            {
                int start = group * matrix.GroupSize, end = Math.Min(start + matrix.GroupSize, line.Length);
                ref byte table = ref matrix.Codebook.LaneTables![row.Zeros[group] * 32];
                B low = S.LoadTable(ref table), high = S.LoadTable(ref Unsafe.Add(ref table, 16));
                F scale = S.Broadcast(row.Scales[group]);
                ref byte code = ref MemoryMarshal.GetReference(codes);
                ref float destination = ref MemoryMarshal.GetReference(line);
                for (; start + UnitCodes <= end; start += UnitCodes)
                {
                    Decode(S.LoadBytes(ref Unsafe.Add(ref code, start)), low, high, scale, ref Unsafe.Add(ref destination, start));
                }

                if (start < end)
                {
                    Decode(S.LoadBytes(ref Unsafe.Add(ref code, start)), low, high, scale, ref last[0]);
                    last[..(end - start)].CopyTo(line[start..]);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Decode(B codes, B low, B high, F scale, ref float destination)
    {
        B lows = S.Lookup(low, codes), highs = S.Lookup(high, codes);
        B first = S.InterleaveLow(lows, highs), second = S.InterleaveHigh(lows, highs);
        S.StoreLanes(S.Multiply(S.LowBFloats(first), scale), ref destination, 0);
        S.StoreLanes(S.Multiply(S.HighBFloats(first), scale), ref destination, 4);
        S.StoreLanes(S.Multiply(S.LowBFloats(second), scale), ref destination, 8);
        S.StoreLanes(S.Multiply(S.HighBFloats(second), scale), ref destination, 12);
    }
}
