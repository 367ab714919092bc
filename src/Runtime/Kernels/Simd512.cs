using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using F = System.Runtime.Intrinsics.Vector512<float>;
using B = System.Runtime.Intrinsics.Vector512<byte>;

namespace Compress.Runtime.Kernels;

/// <summary>512-bit vectors: four lanes. Two strips of codes fill one.</summary>
internal readonly struct Simd512 : ISimd<F, B>
{
    public static string Name => nameof(Vector512);

    public static bool IsAccelerated => Vector512.IsHardwareAccelerated;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load(ref float source, nuint offset) => Vector512.LoadUnsafe(ref source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(F value, ref float destination, nuint offset) => value.StoreUnsafe(ref destination, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Add(F a, F b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Subtract(F a, F b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Multiply(F a, F b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F MultiplyAdd(F a, F b, F c) => Vector512.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(F value) => Simd256.Sum(value.GetLower() + value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F FlipSigns(F value, ulong bits) =>
        Vector512.Create(Simd256.FlipSigns(value.GetLower(), bits), Simd256.FlipSigns(value.GetUpper(), bits >> 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Butterflies(F value)
    {
        var lower = Simd256.Butterflies(value.GetLower());
        var upper = Simd256.Butterflies(value.GetUpper());
        return Vector512.Create(lower + upper, lower - upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B LoadBytes(ref byte source) => Vector512.LoadUnsafe(ref source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(B value, ref byte destination) => value.StoreUnsafe(ref destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B LoadTable(ref byte source) => Vector512.Create(Vector128.LoadUnsafe(ref source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Lookup(B table, B indices) =>
        Avx512BW.IsSupported
            ? Avx512BW.Shuffle(table, indices)
            : Vector512.Create(Simd256.Lookup(table.GetLower(), indices.GetLower()), Simd256.Lookup(table.GetUpper(), indices.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Lookup(B lower, B upper, B indices)
    {
        var low = indices & Vector512.Create((byte)15);
        return Vector512.ConditionalSelect(Vector512.GreaterThan(indices.AsSByte(), Vector512.Create((sbyte)15)).AsByte(), Lookup(upper, low), Lookup(lower, low));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Fold(B codes, byte half, out B signs)
    {
        var below = Vector512.GreaterThan(Vector512.Create((sbyte)half), codes.AsSByte()).AsByte();
        signs = below & Vector512.Create((byte)0x80);
        return (codes ^ below) & Vector512.Create((byte)(half - 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Xor(B a, B b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B InterleaveLow(B a, B b) =>
        Avx512BW.IsSupported
            ? Avx512BW.UnpackLow(a, b)
            : Vector512.Create(Simd256.InterleaveLow(a.GetLower(), b.GetLower()), Simd256.InterleaveLow(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B InterleaveHigh(B a, B b) =>
        Avx512BW.IsSupported
            ? Avx512BW.UnpackHigh(a, b)
            : Vector512.Create(Simd256.InterleaveHigh(a.GetLower(), b.GetLower()), Simd256.InterleaveHigh(a.GetUpper(), b.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F EvenBFloats(B words) => (words.AsUInt32() << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F OddBFloats(B words) => (words.AsUInt32() & Vector512.Create(0xFFFF_0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F LowBFloats(B words) =>
        Avx512BW.IsSupported
            ? Avx512BW.UnpackLow(Vector512<ushort>.Zero, words.AsUInt16()).AsSingle()
            : Vector512.Create(Simd256.LowBFloats(words.GetLower()), Simd256.LowBFloats(words.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F HighBFloats(B words) =>
        Avx512BW.IsSupported
            ? Avx512BW.UnpackHigh(Vector512<ushort>.Zero, words.AsUInt16()).AsSingle()
            : Vector512.Create(Simd256.HighBFloats(words.GetLower()), Simd256.HighBFloats(words.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLanes(F value, ref float destination, nuint offset)
    {
        Simd256.StoreLanes(value.GetLower(), ref destination, offset);
        Simd256.StoreLanes(value.GetUpper(), ref destination, offset + 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Codes(ref byte row, nuint unit, int bits) =>
        Vector512.Create(Simd256.Codes(ref row, 2 * unit, bits), Simd256.Codes(ref row, (2 * unit) + 1, bits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Widen(ref byte source) =>
        Avx512F.IsSupported
            ? Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(Vector128.LoadUnsafe(ref source)))
            : Vector512.Create(Simd256.Widen(ref source), Simd256.Widen(ref Unsafe.Add(ref source, 8)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Singles(ref byte codes, ref float table) =>
        Vector512.Create(Simd256.Singles(ref codes, ref table), Simd256.Singles(ref Unsafe.Add(ref codes, 8), ref table));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Pairs(ref byte codes, ref float table) =>
        Vector512.Create(Simd256.Pairs(ref codes, ref table), Simd256.Pairs(ref Unsafe.Add(ref codes, 4), ref table));
}
