using System.Runtime.CompilerServices;

namespace Compress.Runtime.Kernels;

/// <summary>
/// The few vector operations that kernels are written in, so that each kernel is one text for every vector width.
/// A <em>lane</em> is 16 bytes or 4 floats; byte shuffles and interleaves work within lanes, as the hardware does.
/// </summary>
/// <typeparam name="F">A vector of floats.</typeparam>
/// <typeparam name="B">A vector of bytes, of the same width.</typeparam>
internal interface ISimd<F, B>
    where F : struct
    where B : struct
{
    /// <summary>The vector type's name; <c>COMPRESS_KERNEL</c> knows the kernel by it.</summary>
    static abstract string Name { get; }

    /// <summary>True if the hardware has vectors of this width. If not, everything still works, slowly.</summary>
    static abstract bool IsAccelerated { get; }

    static abstract F Load(ref float source, nuint offset);

    static abstract void Store(F value, ref float destination, nuint offset);

    static abstract F Broadcast(float value);

    static abstract F Add(F a, F b);

    static abstract F Subtract(F a, F b);

    static abstract F Multiply(F a, F b);

    /// <summary>a · b + c; fused where the hardware can, so only for products that promise a tolerance.</summary>
    static abstract F MultiplyAdd(F a, F b, F c);

    /// <summary>The sum of all elements.</summary>
    static abstract float Sum(F value);

    /// <summary>Flips the sign of element i if bit i is set.</summary>
    static abstract F FlipSigns(F value, ulong bits);

    /// <summary>Walsh–Hadamard butterflies at all distances below the vector's length.</summary>
    static abstract F Butterflies(F value);

    static abstract B LoadBytes(ref byte source);

    static abstract void StoreBytes(B value, ref byte destination);

    /// <summary>A table of 16 bytes, the same in every lane.</summary>
    static abstract B LoadTable(ref byte source);

    /// <summary>table[index] for each byte; every index is below 16.</summary>
    static abstract B Lookup(B table, B indices);

    /// <summary>The same with a table of 32 bytes in two halves; every index is below 32.</summary>
    static abstract B Lookup(B lower, B upper, B indices);

    /// <summary>
    /// How far codes lie from the middle of their range, for levels that are symmetric about it: c − half above it, half − 1 − c below.
    /// </summary>
    /// <param name="codes">Below 2 · half.</param>
    /// <param name="half">A power of two, 64 at most.</param>
    /// <param name="signs">The upper bit is set for codes below the middle.</param>
    static abstract B Fold(B codes, byte half, out B signs);

    /// <summary>a ^ b.</summary>
    static abstract B Xor(B a, B b);

    /// <summary>Takes turns between the lower halves of each lane: a0 b0 a1 b1 …</summary>
    static abstract B InterleaveLow(B a, B b);

    /// <summary>Takes turns between the upper halves of each lane.</summary>
    static abstract B InterleaveHigh(B a, B b);

    /// <summary>The even 16-bit words as floats of which they are the upper halves (bfloat16).</summary>
    static abstract F EvenBFloats(B words);

    /// <summary>The odd 16-bit words as floats of which they are the upper halves (bfloat16).</summary>
    static abstract F OddBFloats(B words);

    /// <summary>The lower four 16-bit words of each lane as floats of which they are the upper halves (bfloat16).</summary>
    static abstract F LowBFloats(B words);

    /// <summary>The upper four 16-bit words of each lane as floats of which they are the upper halves (bfloat16).</summary>
    static abstract F HighBFloats(B words);

    /// <summary>Stores lane i at offset 16 · i.</summary>
    static abstract void StoreLanes(F value, ref float destination, nuint offset);

    /// <summary>As many codes as B has bytes, in natural order, from the full strips of a packed row.</summary>
    /// <param name="row">The packed row, which must be pinned; see <see cref="Codecs.CodePacking"/>.</param>
    /// <param name="unit">Which vector of codes, 0-based.</param>
    /// <param name="bits">Bits of a code; a constant after inlining.</param>
    static abstract B Codes(ref byte row, nuint unit, int bits);

    /// <summary>As many bytes as F has floats, converted.</summary>
    static abstract F Widen(ref byte source);

    /// <summary>table[code] for as many codes as F has floats.</summary>
    static abstract F Singles(ref byte codes, ref float table);

    /// <summary>(table[2·code], table[2·code + 1]) for half as many codes as F has floats.</summary>
    static abstract F Pairs(ref byte codes, ref float table);
}

/// <summary>Little-endian reads from a packed row.</summary>
internal static class Raw
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Read<T>(ref byte source)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref source);

    /// <summary>Entry <paramref name="code"/> of a table of float pairs, as 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Pair(ref float table, nuint code) => Unsafe.Add(ref Unsafe.As<float, double>(ref table), code);
}
