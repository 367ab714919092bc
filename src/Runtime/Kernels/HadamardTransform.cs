using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Kernels;

/// <summary>
/// The Walsh–Hadamard transform in vectors. Every element is the result of the same additions in the same order as in
/// <see cref="ScalarKernel.Hadamard"/>; two distances at a time halve the trips to memory.
/// </summary>
internal static class HadamardTransform<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static nuint Step => (nuint)(Unsafe.SizeOf<F>() / sizeof(float));

    public static void Run(Span<float> block)
    {
        nuint length = (nuint)block.Length;
        if (length < 4 * Step)
        {
            ScalarKernel.Transform(block);
            return;
        }

        ref float data = ref MemoryMarshal.GetReference(block);
        F norm = S.Broadcast((float)(1 / Math.Sqrt(block.Length)));
        nuint distance = Step;
        Quads<Butterflied>(ref data, length, distance);
        for (distance *= 4; 4 * distance <= length; distance *= 4)
        {
            Quads<Plain>(ref data, length, distance);
        }

        if (distance < length)
        {
            for (nuint i = 0; i < distance; i += Step)
            {
                F a = S.Load(ref data, i), b = S.Load(ref data, i + distance);
                S.Store(S.Multiply(S.Add(a, b), norm), ref data, i);
                S.Store(S.Multiply(S.Subtract(a, b), norm), ref data, i + distance);
            }
        }
        else
        {
            for (nuint i = 0; i < length; i += Step)
            {
                S.Store(S.Multiply(S.Load(ref data, i), norm), ref data, i);
            }
        }
    }

    private interface IFirst
    {
        static abstract F Run(F value);
    }

    private readonly struct Butterflied : IFirst
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static F Run(F value) => S.Butterflies(value);
    }

    private readonly struct Plain : IFirst
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static F Run(F value) => value;
    }

    /// <summary>Butterflies at <paramref name="distance"/> and twice that.</summary>
    private static void Quads<TFirst>(ref float data, nuint length, nuint distance)
        where TFirst : struct, IFirst
    {
        for (nuint start = 0; start < length; start += 4 * distance)
        {
            for (nuint i = start; i < start + distance; i += Step)
            {
                F a = TFirst.Run(S.Load(ref data, i)), b = TFirst.Run(S.Load(ref data, i + distance));
                F c = TFirst.Run(S.Load(ref data, i + (2 * distance))), d = TFirst.Run(S.Load(ref data, i + (3 * distance)));
                (a, b) = (S.Add(a, b), S.Subtract(a, b));
                (c, d) = (S.Add(c, d), S.Subtract(c, d));
                S.Store(S.Add(a, c), ref data, i);
                S.Store(S.Add(b, d), ref data, i + distance);
                S.Store(S.Subtract(a, c), ref data, i + (2 * distance));
                S.Store(S.Subtract(b, d), ref data, i + (3 * distance));
            }
        }
    }
}
