using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using F = System.Runtime.Intrinsics.Vector256<float>;
using B = System.Runtime.Intrinsics.Vector256<byte>;

namespace Compress.Runtime.Kernels;

/// <summary>256-bit vectors: two lanes. A strip of codes fills one.</summary>
internal readonly unsafe struct Simd256 : ISimd<F, B>
{
    public static string Name => nameof(Vector256);

    public static bool IsAccelerated => Vector256.IsHardwareAccelerated;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load(ref float source, nuint offset) => Vector256.LoadUnsafe(ref source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(F value, ref float destination, nuint offset) => value.StoreUnsafe(ref destination, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Add(F a, F b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Subtract(F a, F b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Multiply(F a, F b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F MultiplyAdd(F a, F b, F c) => Vector256.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(F value) => Vector128.Sum(value.GetLower() + value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F FlipSigns(F value, ulong bits)
    {
        var bit = Vector256.Create(1u, 2, 4, 8, 16, 32, 64, 128);
        var set = Vector256.Equals(Vector256.Create((uint)bits) & bit, bit);
        return (value.AsUInt32() ^ (set & Vector256.Create(0x8000_0000u))).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Butterflies(F value)
    {
        // See Simd128.
        value = MultiplyAdd(value, Vector256.Create(1f, -1, 1, -1, 1, -1, 1, -1), Vector256.Shuffle(value, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6)));
        value = MultiplyAdd(value, Vector256.Create(1f, 1, -1, -1, 1, 1, -1, -1), Vector256.Shuffle(value, Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5)));
        return MultiplyAdd(value, Vector256.Create(1f, 1, 1, 1, -1, -1, -1, -1), Vector256.Shuffle(value, Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B LoadBytes(ref byte source) => Vector256.LoadUnsafe(ref source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(B value, ref byte destination) => value.StoreUnsafe(ref destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B LoadTable(ref byte source) => Vector256.Create(Vector128.LoadUnsafe(ref source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Lookup(B table, B indices) =>
        Avx2.IsSupported
            ? Avx2.Shuffle(table, indices)
            : Vector256.Create(Simd128.Lookup(table.GetLower(), indices.GetLower()), Simd128.Lookup(table.GetUpper(), indices.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Lookup(B lower, B upper, B indices)
    {
        var low = indices & Vector256.Create((byte)15);
        return Vector256.ConditionalSelect(Vector256.GreaterThan(indices.AsSByte(), Vector256.Create((sbyte)15)).AsByte(), Lookup(upper, low), Lookup(lower, low));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Fold(B codes, byte half, out B signs)
    {
        var below = Vector256.GreaterThan(Vector256.Create((sbyte)half), codes.AsSByte()).AsByte();
        signs = below & Vector256.Create((byte)0x80);
        return (codes ^ below) & Vector256.Create((byte)(half - 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Xor(B a, B b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B InterleaveLow(B a, B b) =>
        Avx2.IsSupported
            ? Avx2.UnpackLow(a, b)
            : Vector256.Create(Simd128.InterleaveLow(a.GetLower(), b.GetLower()), Simd128.InterleaveLow(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B InterleaveHigh(B a, B b) =>
        Avx2.IsSupported
            ? Avx2.UnpackHigh(a, b)
            : Vector256.Create(Simd128.InterleaveHigh(a.GetLower(), b.GetLower()), Simd128.InterleaveHigh(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F EvenBFloats(B words) => (words.AsUInt32() << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F OddBFloats(B words) => (words.AsUInt32() & Vector256.Create(0xFFFF_0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F LowBFloats(B words) =>
        Avx2.IsSupported
            ? Avx2.UnpackLow(Vector256<ushort>.Zero, words.AsUInt16()).AsSingle()
            : Vector256.Create(Simd128.LowBFloats(words.GetLower()), Simd128.LowBFloats(words.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F HighBFloats(B words) =>
        Avx2.IsSupported
            ? Avx2.UnpackHigh(Vector256<ushort>.Zero, words.AsUInt16()).AsSingle()
            : Vector256.Create(Simd128.HighBFloats(words.GetLower()), Simd128.HighBFloats(words.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLanes(F value, ref float destination, nuint offset)
    {
        Simd128.StoreLanes(value.GetLower(), ref destination, offset);
        Simd128.StoreLanes(value.GetUpper(), ref destination, offset + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Codes(ref byte row, nuint unit, int bits)
    {
        if (!Avx2.IsSupported)
        {
            return Vector256.Create(Simd128.Codes(ref row, 2 * unit, bits), Simd128.Codes(ref row, (2 * unit) + 1, bits));
        }

        if (bits == 8)
        {
            return Vector256.LoadUnsafe(ref row, 32 * unit);
        }

        ref byte plane = ref Unsafe.Add(ref row, unit * (nuint)(4 * bits));
        var codes = B.Zero;
        int shift = 0;
        if ((bits & 4) != 0)
        {
            // The row is pinned, and only the pointer form is a single broadcasting load.
            var twice = Avx.BroadcastVector128ToVector256((float*)Unsafe.AsPointer(ref plane)).AsUInt64();
            codes = Avx2.ShiftRightLogicalVariable(twice, Vector256.Create(0ul, 0, 4, 4)).AsByte() & Vector256.Create((byte)0x0F);
            plane = ref Unsafe.Add(ref plane, 16);
            shift = 4;
        }

        if ((bits & 2) != 0)
        {
            var spread = Avx2.ShiftRightLogicalVariable(Vector256.Create(Raw.Read<ulong>(ref plane)), Vector256.Create(0ul, 2, 4, 6));
            codes |= ((spread.AsByte() & Vector256.Create((byte)3)).AsUInt16() << shift).AsByte();
            plane = ref Unsafe.Add(ref plane, 8);
            shift += 2;
        }

        if ((bits & 1) != 0)
        {
            var spread = Avx2.ShiftRightLogicalVariable(Vector256.Create(Raw.Read<uint>(ref plane)), Vector256.Create(0u, 1, 2, 3, 4, 5, 6, 7));
            codes |= ((spread.AsByte() & Vector256.Create((byte)1)).AsUInt16() << shift).AsByte();
        }

        return codes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Widen(ref byte source)
    {
        var bytes = Vector128.CreateScalarUnsafe(Raw.Read<ulong>(ref source)).AsByte();
        return Vector256.ConvertToSingle(Avx2.IsSupported
            ? Avx2.ConvertToVector256Int32(bytes)
            : Vector256.WidenLower(Vector256.WidenLower(bytes.ToVector256Unsafe())).AsInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Singles(ref byte codes, ref float table) =>
        Vector256.Create(Simd128.Singles(ref codes, ref table), Simd128.Singles(ref Unsafe.Add(ref codes, 4), ref table));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Pairs(ref byte codes, ref float table)
    {
        // Four codes by one load, taken off its low end: this kernel waits for instructions and loads alike.
        uint rest = Raw.Read<uint>(ref codes);
        double a = Raw.Pair(ref table, (byte)rest);
        rest >>= 8;
        double b = Raw.Pair(ref table, (byte)rest);
        rest >>= 8;
        double c = Raw.Pair(ref table, (byte)rest);
        rest >>= 8;
        return Vector256.Create(Vector128.Create(a, b), Vector128.Create(c, Raw.Pair(ref table, rest))).AsSingle();
    }
}
