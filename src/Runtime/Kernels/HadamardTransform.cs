using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Compress.Runtime.Kernels;

/// <summary>
/// The Walsh–Hadamard transform in vectors. Every element is the result of the same additions in the same order as in
/// <see cref="ScalarKernel.Butterflies"/>; several distances at a time save trips to memory, and the first and the last trip do
/// the butterflies within vectors and the multiplication.
/// </summary>
internal static class HadamardTransform<S, F, B>
    where S : struct, ISimd<F, B>
    where F : struct
    where B : struct
{
    private static nuint Step => (nuint)(Unsafe.SizeOf<F>() / sizeof(float));

    /// <summary>Butterflies, then one multiplication of all elements by 1/√length.</summary>
    public static void Run(Span<float> block)
    {
        float norm = ScalarKernel.Norm(block.Length);
        Run<Alike>(block, ref norm);
    }

    /// <summary>Butterflies, then one multiplication of each element by its factor.</summary>
    public static void Run(Span<float> block, ReadOnlySpan<float> factors) => Run<Each>(block, ref MemoryMarshal.GetReference(factors[..block.Length]));

    private static void Run<TFactors>(Span<float> block, ref float factors)
        where TFactors : struct, ILast
    {
        nuint length = (nuint)block.Length;
        if (length < 4 * Step)
        {
            ScalarKernel.Butterflies(block);
            for (int i = 0; i < block.Length; i++)
            {
                block[i] *= TFactors.Factor(ref factors, (nuint)i);
            }

            return;
        }

        ref float data = ref MemoryMarshal.GetReference(block);
        for (nuint distance = Step, next; distance < length; distance = next)
        {
            // Eight vectors at a time, or four where eight would leave a single butterfly over.
            nuint left = length / distance;
            bool octets = left >= 8 && left != 16;
            next = distance * (octets ? 8u : 4u);
            if (distance == Step && next == length)
            {
                Pass<Butterflied, TFactors>(octets, ref data, length, distance, ref factors);
            }
            else if (distance == Step)
            {
                Pass<Butterflied, Plain>(octets, ref data, length, distance, ref factors);
            }
            else if (next == length)
            {
                Pass<Plain, TFactors>(octets, ref data, length, distance, ref factors);
            }
            else
            {
                Pass<Plain, Plain>(octets, ref data, length, distance, ref factors);
            }
        }
    }

    private static void Pass<TFirst, TLast>(bool octets, ref float data, nuint length, nuint distance, ref float factors)
        where TFirst : struct, IFirst
        where TLast : struct, ILast
    {
        if (octets)
        {
            Octets<TFirst, TLast>(ref data, length, distance, ref factors);
        }
        else
        {
            Quads<TFirst, TLast>(ref data, length, distance, ref factors);
        }
    }

    /// <summary>Butterflies at <paramref name="distance"/> and twice that.</summary>
    private static void Quads<TFirst, TLast>(ref float data, nuint length, nuint distance, ref float factors)
        where TFirst : struct, IFirst
        where TLast : struct, ILast
    {
        for (nuint start = 0; start < length; start += 4 * distance)
        {
            for (nuint i = start; i < start + distance; i += Step)
            {
                F a = TFirst.Run(S.Load(ref data, i)), b = TFirst.Run(S.Load(ref data, i + distance));
                F c = TFirst.Run(S.Load(ref data, i + (2 * distance))), d = TFirst.Run(S.Load(ref data, i + (3 * distance)));
                (a, b) = (S.Add(a, b), S.Subtract(a, b));
                (c, d) = (S.Add(c, d), S.Subtract(c, d));
                Store<TLast>(S.Add(a, c), ref data, i, ref factors);
                Store<TLast>(S.Add(b, d), ref data, i + distance, ref factors);
                Store<TLast>(S.Subtract(a, c), ref data, i + (2 * distance), ref factors);
                Store<TLast>(S.Subtract(b, d), ref data, i + (3 * distance), ref factors);
            }
        }
    }

    /// <summary>Butterflies at <paramref name="distance"/>, twice and four times that.</summary>
    private static void Octets<TFirst, TLast>(ref float data, nuint length, nuint distance, ref float factors)
        where TFirst : struct, IFirst
        where TLast : struct, ILast
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
                Store<TLast>(S.Add(a, e), ref data, i, ref factors);
                Store<TLast>(S.Add(b, f), ref data, i + distance, ref factors);
                Store<TLast>(S.Add(c, g), ref data, i + (2 * distance), ref factors);
                Store<TLast>(S.Add(d, h), ref data, i + (3 * distance), ref factors);
                Store<TLast>(S.Subtract(a, e), ref data, i + (4 * distance), ref factors);
                Store<TLast>(S.Subtract(b, f), ref data, i + (5 * distance), ref factors);
                Store<TLast>(S.Subtract(c, g), ref data, i + (6 * distance), ref factors);
                Store<TLast>(S.Subtract(d, h), ref data, i + (7 * distance), ref factors);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLast>(F value, ref float data, nuint i, ref float factors)
        where TLast : struct, ILast => S.Store(TLast.Run(value, ref factors, i), ref data, i);

    private interface IFirst
    {
        static abstract F Run(F value);
    }

    private interface ILast
    {
        static abstract F Run(F value, ref float factors, nuint i);

        static abstract float Factor(ref float factors, nuint i);
    }

    private readonly struct Butterflied : IFirst
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static F Run(F value) => S.Butterflies(value);
    }

    private readonly struct Plain : IFirst, ILast
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static F Run(F value) => value;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static F Run(F value, ref float factors, nuint i) => value;

        public static float Factor(ref float factors, nuint i) => 1;
    }

    /// <summary>The first factor for all elements.</summary>
    private readonly struct Alike : ILast
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static F Run(F value, ref float factors, nuint i) => S.Multiply(value, S.Broadcast(factors));

        public static float Factor(ref float factors, nuint i) => factors;
    }

    /// <summary>A factor for each element.</summary>
    private readonly struct Each : ILast
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static F Run(F value, ref float factors, nuint i) => S.Multiply(value, S.Load(ref factors, i));

        public static float Factor(ref float factors, nuint i) => Unsafe.Add(ref factors, i);
    }
}
