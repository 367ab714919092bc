using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Compress.Runtime.Codecs;

namespace Compress.Runtime.Kernels;

/// <summary>
/// Products of one vector with rows of at most 16 different bfloat16 values. A vector of codes is expanded from the packed strips,
/// two byte shuffles look up lower and upper bytes, and interleaving them gives bfloat16 words, of which the even ones are floats
/// after a shift and the odd ones after a mask: 8 operations for 32 weights in 256 bits, and no float is shuffled.
/// The activations are arranged once in the order in which the weights come out.
/// </summary>
internal static unsafe class StripDot<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static int UnitCodes => Unsafe.SizeOf<B>();

    /// <summary>True if this kernel can multiply the matrix: groups are whole strips and whole vectors.</summary>
    public static bool Fits(CodeMatrix matrix) =>
        matrix.Codebook.LaneTables is not null
        && (matrix.Groups == 1
            || matrix.GroupSize / matrix.Codebook.Dimension % Math.Max(UnitCodes, CodePacking.StripCodes) == 0);

    /// <summary>Floats that <see cref="Arrange"/> writes.</summary>
    public static int ArrangedLength(CodeMatrix matrix) => Units(matrix) * UnitCodes * matrix.Codebook.Dimension;

    /// <summary>
    /// Brings activations into the order of the weights. For each vector of codes, coordinate by coordinate, four vectors of floats:
    /// in each lane the codes 0 2 4 6, then 1 3 5 7, 8 10 12 14, 9 11 13 15. Columns that the matrix does not have are zero.
    /// </summary>
    /// <param name="dimension">Coordinates of a point.</param>
    /// <param name="x">The activations.</param>
    /// <param name="arranged">Whole vectors of codes.</param>
    public static void Arrange(int dimension, ReadOnlySpan<float> x, Span<float> arranged)
    {
        int unit = UnitCodes * dimension;
        Span<int> codes = stackalloc int[UnitCodes], order = stackalloc int[unit]; // at most 128 positions
        Order(codes);
        for (int i = 0; i < unit; i++)
        {
            order[i] = (codes[i % UnitCodes] * dimension) + (i / UnitCodes);
        }

        Span<float> last = stackalloc float[unit];
        last.Clear();
        x[(x.Length / unit * unit)..].CopyTo(last);
        for (int start = 0; start < arranged.Length; start += unit)
        {
            var from = start + unit <= x.Length ? x.Slice(start, unit) : last;
            var to = arranged.Slice(start, unit);
            for (int i = 0; i < order.Length; i++)
            {
                to[i] = from[order[i]];
            }
        }
    }

    /// <summary>Which code of a vector comes out at each place.</summary>
    /// <param name="codes">As many as a vector has bytes.</param>
    public static void Order(Span<int> codes)
    {
        int lanes = UnitCodes / 16;
        for (int i = 0; i < codes.Length; i++)
        {
            (int vector, int lane, int element) = (i / (4 * lanes), i / 4 % lanes, i % 4);
            codes[i] = (16 * lane) + (8 * (vector / 2)) + (2 * element) + (vector % 2);
        }
    }

    /// <summary>The products of <c>y.Length</c> rows with an arranged vector.</summary>
    public static void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
    {
        switch (matrix.Bits, matrix.Codebook.Dimension)
        {
            case (1, 1): Rows<One, One>(matrix, firstRow, arranged, y); break;
            case (2, 1): Rows<Two, One>(matrix, firstRow, arranged, y); break;
            case (3, 1): Rows<Three, One>(matrix, firstRow, arranged, y); break;
            case (4, 1): Rows<Four, One>(matrix, firstRow, arranged, y); break;
            case (4, 2): Rows<Four, Two>(matrix, firstRow, arranged, y); break;
            default: throw new UnreachableException();
        }
    }

    private static int Units(CodeMatrix matrix) => (matrix.CodesPerRow + UnitCodes - 1) / UnitCodes;

    private static void Rows<TBits, TDimension>(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> arranged, Span<float> y)
        where TBits : struct, IConstant
        where TDimension : struct, IConstant
    {
        int restStart = Strips<S, F, B>.WholeCodes(matrix.CodesPerRow), restCodes = matrix.CodesPerRow - restStart;
        int restBytes = (int)CodePacking.RowBytes(restStart, TBits.Value);
        var plan = new Plan(
            matrix.Groups, matrix.GroupSize / TDimension.Value / UnitCodes, restStart / UnitCodes, (restCodes + UnitCodes - 1) / UnitCodes);
        Span<byte> rest = stackalloc byte[RowCursor.Padding];
        rest.Clear();
        using var row = new RowCursor(matrix);
        for (int r = 0; r < y.Length; r++)
        {
            row.MoveTo(firstRow + r);
            if (restCodes > 0)
            {
                CodePacking.Unpack(row.Packed[restBytes..], TBits.Value, rest[..restCodes]);
            }

            fixed (byte* packed = row.Packed)
            {
                y[r] = Row<TBits, TDimension>(
                    plan,
                    ref *packed,
                    ref MemoryMarshal.GetReference(rest),
                    ref MemoryMarshal.GetReference(row.Scales),
                    ref MemoryMarshal.GetReference(row.Zeros),
                    ref MemoryMarshal.GetArrayDataReference(matrix.Codebook.LaneTables!),
                    ref MemoryMarshal.GetReference(arranged));
            }
        }
    }

    // Calls nothing, so that all sums stay in registers: no vector register survives a call on Unix.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Row<TBits, TDimension>(
        in Plan plan, ref byte packed, ref byte rest, ref float scales, ref byte zeros, ref byte tables, ref float x)
        where TBits : struct, IConstant
        where TDimension : struct, IConstant
    {
        F total = default;
        nuint unit = 0, unitFloats = (nuint)(UnitCodes * TDimension.Value);
        for (int group = 1; group <= plan.Groups; group++)
        {
            ref byte table = ref Unsafe.Add(ref tables, zeros * TDimension.Value * 32);
            B low0 = S.LoadTable(ref table), high0 = S.LoadTable(ref Unsafe.Add(ref table, 16));
            B low1 = default, high1 = default;
            if (TDimension.Value == 2)
            {
                low1 = S.LoadTable(ref Unsafe.Add(ref table, 32));
                high1 = S.LoadTable(ref Unsafe.Add(ref table, 48));
            }

            F sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            nuint end = group < plan.Groups ? unit + (nuint)plan.UnitsPerGroup : (nuint)plan.FullUnits;
            for (; unit < end; unit++)
            {
                B codes = S.Codes(ref packed, unit, TBits.Value);
                Accumulate(codes, low0, high0, ref x, unit * unitFloats, ref sum0, ref sum1, ref sum2, ref sum3);
                if (TDimension.Value == 2)
                {
                    Accumulate(codes, low1, high1, ref x, (unit * unitFloats) + (nuint)UnitCodes, ref sum0, ref sum1, ref sum2, ref sum3);
                }
            }

            for (; group == plan.Groups && unit < (nuint)(plan.FullUnits + plan.RestUnits); unit++)
            {
                B codes = S.LoadBytes(ref rest);
                rest = ref Unsafe.Add(ref rest, UnitCodes);
                Accumulate(codes, low0, high0, ref x, unit * unitFloats, ref sum0, ref sum1, ref sum2, ref sum3);
                if (TDimension.Value == 2)
                {
                    Accumulate(codes, low1, high1, ref x, (unit * unitFloats) + (nuint)UnitCodes, ref sum0, ref sum1, ref sum2, ref sum3);
                }
            }

            total = S.MultiplyAdd(S.Broadcast(scales), S.Add(S.Add(sum0, sum1), S.Add(sum2, sum3)), total);
            scales = ref Unsafe.Add(ref scales, 1);
            zeros = ref Unsafe.Add(ref zeros, 1);
        }

        return S.Sum(total);
    }

    /// <param name="Groups">Groups of a row.</param>
    /// <param name="UnitsPerGroup">Vectors of codes in each group but the last.</param>
    /// <param name="FullUnits">Vectors of codes that lie in full strips.</param>
    /// <param name="RestUnits">Vectors of the remaining codes, which are unpacked first.</param>
    private readonly record struct Plan(int Groups, int UnitsPerGroup, int FullUnits, int RestUnits);

    /// <summary>Adds the products of a vector of codes and arranged activations to four sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Accumulate(
        B codes, B low, B high, ref float x, nuint at, ref F sum0, ref F sum1, ref F sum2, ref F sum3)
    {
        AccumulateWords(S.Lookup(low, codes), S.Lookup(high, codes), ref x, at, ref sum0, ref sum1, ref sum2, ref sum3);
    }

    /// <summary>The same, with the lower and the upper bytes of bfloat16 values that have been looked up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AccumulateWords(B lows, B highs, ref float x, nuint at, ref F sum0, ref F sum1, ref F sum2, ref F sum3)
    {
        B first = S.InterleaveLow(lows, highs), second = S.InterleaveHigh(lows, highs);
        nuint step = (nuint)(Unsafe.SizeOf<F>() / sizeof(float));
        sum0 = S.MultiplyAdd(S.EvenBFloats(first), S.Load(ref x, at), sum0);
        sum1 = S.MultiplyAdd(S.OddBFloats(first), S.Load(ref x, at + step), sum1);
        sum2 = S.MultiplyAdd(S.EvenBFloats(second), S.Load(ref x, at + (2 * step)), sum2);
        sum3 = S.MultiplyAdd(S.OddBFloats(second), S.Load(ref x, at + (3 * step)), sum3);
    }
}
