using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Kernels;

/// <summary>
/// The Walsh–Hadamard transform in vectors. Every element is the result of the same additions in the same order as in
/// <see cref="ScalarKernel.Hadamard"/>; three distances at a time cut the trips to memory to a third.
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
        if (8 * distance <= length)
        {
            Octets<Butterflied>(ref data, length, distance);
            for (distance *= 8; 8 * distance <= length; distance *= 8)
            {
                Octets<Plain>(ref data, length, distance);
            }
        }
        else
        {
            Quads<Butterflied>(ref data, length, distance);
            distance *= 4;
        }

        if (4 * distance <= length)
        {
            Quads<Plain>(ref data, length, distance);
            distance *= 4;
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

    /// <summary>Butterflies at <paramref name="distance"/>, twice and four times that.</summary>
    private static void Octets<TFirst>(ref float data, nuint length, nuint distance)
        where TFirst : struct, IFirst
    {
        for (nuint start = 0; start < length; start += 8 * distance)
        {
            for (nuint i = start; i < start + distance; i += Step)
            {
                F a = TFirst.Run(S.Load(ref data, i)), b = TFirst.Run(S.Load(ref data, i + distance));
                F c = TFirst.Run(S.Load(ref data, i + (2 * distance))), d = TFirst.Run(S.Load(ref data, i + (3 * distance)));
                (a, b) = (S.Add(a, b), S.Subtract(a, b));
                (c, d) = (S.Add(c, d), S.Subtract(c, d));
                (a, c) = (S.Add(a, c), S.Subtract(a, c));
                (b, d) = (S.Add(b, d), S.Subtract(b, d));
                F e = TFirst.Run(S.Load(ref data, i + (4 * distance))), f = TFirst.Run(S.Load(ref data, i + (5 * distance)));
                F g = TFirst.Run(S.Load(ref data, i + (6 * distance))), h = TFirst.Run(S.Load(ref data, i + (7 * distance)));
                (e, f) = (S.Add(e, f), S.Subtract(e, f));
                (g, h) = (S.Add(g, h), S.Subtract(g, h));
                (e, g) = (S.Add(e, g), S.Subtract(e, g));
                (f, h) = (S.Add(f, h), S.Subtract(f, h));
                S.Store(S.Add(a, e), ref data, i);
                S.Store(S.Add(b, f), ref data, i + distance);
                S.Store(S.Add(c, g), ref data, i + (2 * distance));
                S.Store(S.Add(d, h), ref data, i + (3 * distance));
                S.Store(S.Subtract(a, e), ref data, i + (4 * distance));
                S.Store(S.Subtract(b, f), ref data, i + (5 * distance));
                S.Store(S.Subtract(c, g), ref data, i + (6 * distance));
                S.Store(S.Subtract(d, h), ref data, i + (7 * distance));
            }
        }
    }
}
