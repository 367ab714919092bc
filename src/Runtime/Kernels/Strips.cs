using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
        int whole = WholeCodes(row.CodeCount);
        var codes = row.Unpacked;
        ref byte unpacked = ref MemoryMarshal.GetReference(codes);
        fixed (byte* packed = row.Packed)
        {
            for (int code = 0; code < whole; code += UnitCodes)
            {
                S.StoreBytes(S.Codes(ref *packed, (nuint)(code / UnitCodes), bits), ref Unsafe.Add(ref unpacked, code));
            }
        }

        if (whole < row.CodeCount)
        {
            CodePacking.Unpack(row.Packed[(int)CodePacking.RowBytes(whole, bits)..], bits, codes[whole..row.CodeCount]);
        }

        return codes;
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
