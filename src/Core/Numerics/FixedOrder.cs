using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Numerics;

/// <summary>Sums whose order, and so whose last bit, is the same on every machine and for every vector width.</summary>
internal static class FixedOrder
{
    private const int Lanes = 32;

    /// <summary>
    /// Σ a b. Element i goes to lane i mod 32; lanes are then added in halves: l + 16, l + 8, l + 4, l + 2, l + 1.
    /// Products are rounded before they are added.
    /// </summary>
    /// <param name="a">Any length.</param>
    /// <param name="b">As long.</param>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        int full = a.Length / Lanes * Lanes;
        var (s0, s1, s2, s3) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        ref float pa = ref MemoryMarshal.GetReference(a);
        ref float pb = ref MemoryMarshal.GetReference(b[..a.Length]);
        for (nuint i = 0; i < (nuint)full; i += Lanes)
        {
            s0 += Vector256.LoadUnsafe(ref pa, i) * Vector256.LoadUnsafe(ref pb, i);
            s1 += Vector256.LoadUnsafe(ref pa, i + 8) * Vector256.LoadUnsafe(ref pb, i + 8);
            s2 += Vector256.LoadUnsafe(ref pa, i + 16) * Vector256.LoadUnsafe(ref pb, i + 16);
            s3 += Vector256.LoadUnsafe(ref pa, i + 24) * Vector256.LoadUnsafe(ref pb, i + 24);
        }

        if (full < a.Length)
        {
            Span<float> products = stackalloc float[Lanes];
            products.Clear();
            for (int i = full; i < a.Length; i++)
            {
                products[i - full] = a[i] * b[i];
            }

            s0 += Vector256.Create<float>(products);
            s1 += Vector256.Create<float>(products[8..]);
            s2 += Vector256.Create<float>(products[16..]);
            s3 += Vector256.Create<float>(products[24..]);
        }

        return Sum((s0 + s2) + (s1 + s3));
    }

    /// <summary>
    /// Σ a b. Element i goes to lane i mod 16; lanes are then added in halves: l + 8, l + 4, l + 2, l + 1.
    /// Products are rounded before they are added.
    /// </summary>
    /// <param name="a">Any length.</param>
    /// <param name="b">As long.</param>
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        const int DoubleLanes = 16;
        int full = a.Length / DoubleLanes * DoubleLanes;
        var (s0, s1, s2, s3) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        ref double pa = ref MemoryMarshal.GetReference(a);
        ref double pb = ref MemoryMarshal.GetReference(b[..a.Length]);
        for (nuint i = 0; i < (nuint)full; i += DoubleLanes)
        {
            s0 += Vector256.LoadUnsafe(ref pa, i) * Vector256.LoadUnsafe(ref pb, i);
            s1 += Vector256.LoadUnsafe(ref pa, i + 4) * Vector256.LoadUnsafe(ref pb, i + 4);
            s2 += Vector256.LoadUnsafe(ref pa, i + 8) * Vector256.LoadUnsafe(ref pb, i + 8);
            s3 += Vector256.LoadUnsafe(ref pa, i + 12) * Vector256.LoadUnsafe(ref pb, i + 12);
        }

        if (full < a.Length)
        {
            Span<double> products = stackalloc double[DoubleLanes];
            products.Clear();
            for (int i = full; i < a.Length; i++)
            {
                products[i - full] = a[i] * b[i];
            }

            s0 += Vector256.Create<double>(products);
            s1 += Vector256.Create<double>(products[4..]);
            s2 += Vector256.Create<double>(products[8..]);
            s3 += Vector256.Create<double>(products[12..]);
        }

        var four = (s0 + s2) + (s1 + s3);
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    /// <summary><c>y += factor · x</c>, products rounded before they are added.</summary>
    /// <param name="factor">The factor.</param>
    /// <param name="x">Any length.</param>
    /// <param name="y">As long.</param>
    public static void AddProduct(double factor, ReadOnlySpan<double> x, Span<double> y)
    {
        ref double px = ref MemoryMarshal.GetReference(x);
        ref double py = ref MemoryMarshal.GetReference(y[..x.Length]);
        nuint i = 0, end = (nuint)x.Length;
        for (; i + 4 <= end; i += 4)
        {
            (Vector256.LoadUnsafe(ref py, i) + (factor * Vector256.LoadUnsafe(ref px, i))).StoreUnsafe(ref py, i);
        }

        for (; i < end; i++)
        {
            y[(int)i] += factor * x[(int)i];
        }
    }

    /// <summary>a becomes a + b, and b becomes a − b.</summary>
    /// <param name="a">Any length.</param>
    /// <param name="b">As long.</param>
    public static void Butterfly(Span<double> a, Span<double> b)
    {
        ref double pa = ref MemoryMarshal.GetReference(a);
        ref double pb = ref MemoryMarshal.GetReference(b[..a.Length]);
        nuint i = 0, end = (nuint)a.Length;
        for (; i + 4 <= end; i += 4)
        {
            var (left, right) = (Vector256.LoadUnsafe(ref pa, i), Vector256.LoadUnsafe(ref pb, i));
            (left + right).StoreUnsafe(ref pa, i);
            (left - right).StoreUnsafe(ref pb, i);
        }

        for (; i < end; i++)
        {
            (a[(int)i], b[(int)i]) = (a[(int)i] + b[(int)i], a[(int)i] - b[(int)i]);
        }
    }

    /// <summary>Σ a, in the order of <see cref="Dot(ReadOnlySpan{float}, ReadOnlySpan{float})"/>.</summary>
    /// <param name="a">Any length.</param>
    public static float Sum(ReadOnlySpan<float> a)
    {
        int full = a.Length / Lanes * Lanes;
        var (s0, s1, s2, s3) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero, Vector256<float>.Zero);
        ref float pa = ref MemoryMarshal.GetReference(a);
        for (nuint i = 0; i < (nuint)full; i += Lanes)
        {
            s0 += Vector256.LoadUnsafe(ref pa, i);
            s1 += Vector256.LoadUnsafe(ref pa, i + 8);
            s2 += Vector256.LoadUnsafe(ref pa, i + 16);
            s3 += Vector256.LoadUnsafe(ref pa, i + 24);
        }

        if (full < a.Length)
        {
            Span<float> rest = stackalloc float[Lanes];
            rest.Clear();
            a[full..].CopyTo(rest);
            s0 += Vector256.Create<float>(rest);
            s1 += Vector256.Create<float>(rest[8..]);
            s2 += Vector256.Create<float>(rest[16..]);
            s3 += Vector256.Create<float>(rest[24..]);
        }

        return Sum((s0 + s2) + (s1 + s3));
    }

    /// <summary>Σ a in double: element i goes to lane i mod 8, lanes are added in order, then what is left over.</summary>
    /// <param name="a">Any length.</param>
    public static double SumInDouble(ReadOnlySpan<float> a)
    {
        const int Step = 8;
        int full = a.Length / Step * Step;
        var (low, high) = (Vector256<double>.Zero, Vector256<double>.Zero);
        ref float pa = ref MemoryMarshal.GetReference(a);
        for (nuint i = 0; i < (nuint)full; i += Step)
        {
            (var first, var second) = Vector256.Widen(Vector256.LoadUnsafe(ref pa, i));
            low += first;
            high += second;
        }

        double sum = 0;
        for (int lane = 0; lane < Step; lane++)
        {
            sum += lane < 4 ? low[lane] : high[lane - 4];
        }

        foreach (float rest in a[full..])
        {
            sum += rest;
        }

        return sum;
    }

    /// <summary>The sum of the lanes: l + 4, l + 2, l + 1.</summary>
    public static float Sum(Vector256<float> lanes)
    {
        var four = lanes.GetLower() + lanes.GetUpper();
        return (four[0] + four[2]) + (four[1] + four[3]);
    }
}
