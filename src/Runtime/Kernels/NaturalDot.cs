using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Kernels;

/// <summary>Makes one vector of unscaled weights of a row, in natural order.</summary>
internal interface INaturalDecoder<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    /// <summary>How far the code of a weight at that column lies from the row's first, in bytes.</summary>
    static abstract nuint Offset(nuint column);

    /// <param name="codes">The first weight's code; codes take a byte each.</param>
    /// <param name="table">The codebook.</param>
    /// <param name="zero">The group's zero point in every element.</param>
    static abstract F Decode(ref byte codes, ref float table, F zero);
}

/// <summary>Points of one coordinate: a table lookup for each weight.</summary>
internal readonly struct SinglesDecoder<S, F, B> : INaturalDecoder<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    public static nuint Offset(nuint column) => column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Decode(ref byte codes, ref float table, F zero) => S.Singles(ref codes, ref table);
}

/// <summary>Points of two coordinates: 64-bit loads from a table of pairs, which beat gathers on current hardware.</summary>
internal readonly struct PairsDecoder<S, F, B> : INaturalDecoder<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    public static nuint Offset(nuint column) => column / 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Decode(ref byte codes, ref float table, F zero) => S.Pairs(ref codes, ref table);
}

/// <summary>Integers less a zero point: converted, exact.</summary>
internal readonly struct IntegerDecoder<S, F, B> : INaturalDecoder<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    public static nuint Offset(nuint column) => column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Decode(ref byte codes, ref float table, F zero) => S.Subtract(S.Widen(ref codes), zero);
}

/// <summary>
/// Products and unpacked rows of any <see cref="CodeMatrix"/>, with weights in natural order. Groups are whole vectors in every
/// width, because a group has at least 16 columns.
/// </summary>
internal static class NaturalDot<S, F, B, D>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
    where D : struct, INaturalDecoder<S, F, B>
{
    private static int Step => Unsafe.SizeOf<F>() / sizeof(float);

    /// <summary>The products of <c>y.Length</c> rows with a vector that is filled up with zeros to whole vectors.</summary>
    public static void MultiplyRows(CodeMatrix matrix, int firstRow, ReadOnlySpan<float> padded, Span<float> y)
    {
        using var row = new RowCursor(matrix);
        for (int r = 0; r < y.Length; r++)
        {
            row.MoveTo(firstRow + r);
            y[r] = Row(
                (nuint)matrix.GroupSize,
                (nuint)padded.Length,
                ref MemoryMarshal.GetReference(ByteCodes(matrix, row)),
                ref MemoryMarshal.GetReference(row.Scales),
                ref MemoryMarshal.GetReference(row.Zeros),
                ref MemoryMarshal.GetArrayDataReference(matrix.Codebook.Values),
                ref MemoryMarshal.GetReference(padded));
        }
    }

    // Calls nothing, so that all sums stay in registers: no vector register survives a call on Unix.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Row(
        nuint groupSize, nuint columns, ref byte codes, ref float scales, ref byte zeros, ref float table, ref float x)
    {
        F total = default;
        nuint step = (nuint)Step;
        for (nuint column = 0; column < columns;)
        {
            F zero = S.Broadcast(zeros);
            nuint end = Math.Min(column + groupSize, columns);
            F sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            for (; column + (4 * step) <= end; column += 4 * step)
            {
                // Offsets from two addresses that the loop computes once: the rest is constant.
                ref byte code = ref Unsafe.Add(ref codes, D.Offset(column));
                ref float from = ref Unsafe.Add(ref x, column);
                sum0 = S.MultiplyAdd(D.Decode(ref code, ref table, zero), S.Load(ref from, 0), sum0);
                sum1 = S.MultiplyAdd(D.Decode(ref Unsafe.Add(ref code, D.Offset(step)), ref table, zero), S.Load(ref from, step), sum1);
                sum2 = S.MultiplyAdd(D.Decode(ref Unsafe.Add(ref code, D.Offset(2 * step)), ref table, zero), S.Load(ref from, 2 * step), sum2);
                sum3 = S.MultiplyAdd(D.Decode(ref Unsafe.Add(ref code, D.Offset(3 * step)), ref table, zero), S.Load(ref from, 3 * step), sum3);
            }

            for (; column < end; column += step)
            {
                sum0 = S.MultiplyAdd(D.Decode(ref Unsafe.Add(ref codes, D.Offset(column)), ref table, zero), S.Load(ref x, column), sum0);
            }

            total = S.MultiplyAdd(S.Broadcast(scales), S.Add(S.Add(sum0, sum1), S.Add(sum2, sum3)), total);
            scales = ref Unsafe.Add(ref scales, 1);
            zeros = ref Unsafe.Add(ref zeros, 1);
        }

        return S.Sum(total);
    }

    /// <summary>Unpacks rows into lines of <paramref name="stride"/> floats; what lies between a row's end and the next line is lost.</summary>
    public static void DecodeRows(CodeMatrix matrix, int firstRow, int rowCount, Span<float> weights, int stride)
    {
        Span<float> last = stackalloc float[16];
        ref float table = ref MemoryMarshal.GetArrayDataReference(matrix.Codebook.Values);
        using var row = new RowCursor(matrix);
        for (int r = 0; r < rowCount; r++)
        {
            row.MoveTo(firstRow + r);
            ref byte codes = ref MemoryMarshal.GetReference(ByteCodes(matrix, row));
            var line = weights.Slice(r * stride, matrix.Columns);
            ref float destination = ref MemoryMarshal.GetReference(line);
            nuint column = 0, whole = (nuint)(line.Length / Step * Step);
            for (int group = 0; group < row.Groups; group++)
            {
                F scale = S.Broadcast(row.Scales[group]), zero = S.Broadcast(row.Zeros[group]);
                nuint end = (nuint)Math.Min((long)column + matrix.GroupSize, line.Length);
                for (; column < end && column < whole; column += (nuint)Step)
                {
                    S.Store(S.Multiply(D.Decode(ref Unsafe.Add(ref codes, D.Offset(column)), ref table, zero), scale), ref destination, column);
                }

                if (column < end)
                {
                    S.Store(S.Multiply(D.Decode(ref Unsafe.Add(ref codes, D.Offset(column)), ref table, zero), scale), ref last[0], 0);
                    last[..(int)(end - column)].CopyTo(line[(int)column..]);
                }
            }
        }
    }

    /// <summary>
    /// The row's codes, one a byte, readable in whole lines. Packed bytes are codes already if there are eight bits,
    /// but must not be read past the end.
    /// </summary>
    private static ReadOnlySpan<byte> ByteCodes(CodeMatrix matrix, in RowCursor row) =>
        matrix.Bits == 8 && matrix.Columns % Kernel.LineUnit == 0 ? row.Packed : Strips<S, F, B>.Unpack(matrix.Bits, row);
}
