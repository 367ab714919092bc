using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using F = System.Runtime.Intrinsics.Vector128<float>;
using B = System.Runtime.Intrinsics.Vector128<byte>;

namespace Compress.Runtime.Kernels;

/// <summary>128-bit vectors: one lane. Half a strip of codes fills one.</summary>
internal readonly struct Simd128 : ISimd<F, B>
{
    public static string Name => nameof(Vector128);

    public static bool IsAccelerated => Vector128.IsHardwareAccelerated;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Load(ref float source, nuint offset) => Vector128.LoadUnsafe(ref source, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(F value, ref float destination, nuint offset) => value.StoreUnsafe(ref destination, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Add(F a, F b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Subtract(F a, F b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Multiply(F a, F b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F MultiplyAdd(F a, F b, F c) => Vector128.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(F value) => Vector128.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F FlipSigns(F value, ulong bits)
    {
        var bit = Vector128.Create(1u, 2, 4, 8);
        var set = Vector128.Equals(Vector128.Create((uint)bits) & bit, bit);
        return (value.AsUInt32() ^ (set & Vector128.Create(0x8000_0000u))).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Butterflies(F value)
    {
        // a − b is exactly 1 · a − b and −1 · b + a, fused or not: one shuffle and one multiply-add make a butterfly.
        value = MultiplyAdd(value, Vector128.Create(1f, -1, 1, -1), Vector128.Shuffle(value, Vector128.Create(1, 0, 3, 2)));
        return MultiplyAdd(value, Vector128.Create(1f, 1, -1, -1), Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B LoadBytes(ref byte source) => Vector128.LoadUnsafe(ref source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(B value, ref byte destination) => value.StoreUnsafe(ref destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B LoadTable(ref byte source) => Vector128.LoadUnsafe(ref source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Lookup(B table, B indices) => Vector128.ShuffleNative(table, indices);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Lookup(B lower, B upper, B indices)
    {
        var low = indices & Vector128.Create((byte)15);
        return Vector128.ConditionalSelect(Vector128.GreaterThan(indices.AsSByte(), Vector128.Create((sbyte)15)).AsByte(), Lookup(upper, low), Lookup(lower, low));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Fold(B codes, byte half, out B signs)
    {
        var below = Vector128.GreaterThan(Vector128.Create((sbyte)half), codes.AsSByte()).AsByte();
        signs = below & Vector128.Create((byte)0x80);
        return (codes ^ below) & Vector128.Create((byte)(half - 1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Xor(B a, B b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B InterleaveLow(B a, B b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : (Vector128.WidenLower(a) | (Vector128.WidenLower(b) << 8)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B InterleaveHigh(B a, B b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : (Vector128.WidenUpper(a) | (Vector128.WidenUpper(b) << 8)).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F EvenBFloats(B words) => (words.AsUInt32() << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F OddBFloats(B words) => (words.AsUInt32() & Vector128.Create(0xFFFF_0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F LowBFloats(B words) =>
        Sse2.IsSupported
            ? Sse2.UnpackLow(Vector128<ushort>.Zero, words.AsUInt16()).AsSingle()
            : (Vector128.WidenLower(words.AsUInt16()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F HighBFloats(B words) =>
        Sse2.IsSupported
            ? Sse2.UnpackHigh(Vector128<ushort>.Zero, words.AsUInt16()).AsSingle()
            : (Vector128.WidenUpper(words.AsUInt16()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreLanes(F value, ref float destination, nuint offset) => value.StoreUnsafe(ref destination, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static B Codes(ref byte row, nuint unit, int bits)
    {
        if (bits == 8)
        {
            return Vector128.LoadUnsafe(ref row, 16 * unit);
        }

        ref byte plane = ref Unsafe.Add(ref row, (unit >> 1) * (nuint)(4 * bits));
        int half = (int)(unit & 1);
        var codes = B.Zero;
        int shift = 0;
        if ((bits & 4) != 0)
        {
            codes = (Vector128.LoadUnsafe(ref plane).AsUInt16() >> (4 * half)).AsByte() & Vector128.Create((byte)0x0F);
            plane = ref Unsafe.Add(ref plane, 16);
            shift = 4;
        }

        if ((bits & 2) != 0)
        {
            ulong word = Raw.Read<ulong>(ref plane) >> (4 * half);
            codes |= ((Vector128.Create(word, word >> 2).AsByte() & Vector128.Create((byte)3)).AsUInt16() << shift).AsByte();
            plane = ref Unsafe.Add(ref plane, 8);
            shift += 2;
        }

        if ((bits & 1) != 0)
        {
            uint word = Raw.Read<uint>(ref plane) >> (4 * half);
            var spread = Vector128.Create(word, word >> 1, word >> 2, word >> 3).AsByte();
            codes |= ((spread & Vector128.Create((byte)1)).AsUInt16() << shift).AsByte();
        }

        return codes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Widen(ref byte source)
    {
        var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(Raw.Read<uint>(ref source)).AsByte());
        return Vector128.ConvertToSingle(Vector128.WidenLower(words).AsInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Singles(ref byte codes, ref float table)
    {
        // Two codes a load: loads are what limits table lookups.
        nuint low = Raw.Read<ushort>(ref codes), high = Raw.Read<ushort>(ref Unsafe.Add(ref codes, 2));
        return Vector128.Create(
            Unsafe.Add(ref table, (byte)low),
            Unsafe.Add(ref table, low >> 8),
            Unsafe.Add(ref table, (byte)high),
            Unsafe.Add(ref table, high >> 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Pairs(ref byte codes, ref float table)
    {
        nuint two = Raw.Read<ushort>(ref codes);
        return Vector128.Create(Raw.Pair(ref table, (byte)two), Raw.Pair(ref table, two >> 8)).AsSingle();
    }
}
