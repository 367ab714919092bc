using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Numerics;

/// <summary>
/// Elementary functions of many floats: the same bits on every CPU, unlike those of TensorPrimitives, which fuse multiplications where the
/// hardware can. Within 2 units in the last place.
/// </summary>
internal static class ElementaryVectors
{
    private const int Lanes = 8;

    /// <summary>y = e^x; they may be the same.</summary>
    public static void Exp(ReadOnlySpan<float> x, Span<float> y) => Apply<ExpOperator>(x, y);

    /// <summary>y = 1 / (1 + e^(−x)); they may be the same.</summary>
    public static void Sigmoid(ReadOnlySpan<float> x, Span<float> y) => Apply<SigmoidOperator>(x, y);

    /// <summary>e^x (the polynomial is that of the Cephes library).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Exp(Vector256<float> x)
    {
        x = Vector256.Max(Vector256.Min(x, Vector256.Create(89f)), Vector256.Create(-104f)); // beyond are infinity and 0
        var power = Vector256.Floor((x * 1.44269504088896341f) + Vector256.Create(0.5f));
        var r = x - (power * 0.693359375f) + (power * 2.12194440e-4f); // |r| ≤ ln 2 / 2
        var sum = Vector256.Create(1.9875691500e-4f);
        sum = (sum * r) + Vector256.Create(1.3981999507e-3f);
        sum = (sum * r) + Vector256.Create(8.3334519073e-3f);
        sum = (sum * r) + Vector256.Create(4.1665795894e-2f);
        sum = (sum * r) + Vector256.Create(1.6666665459e-1f);
        sum = (sum * r) + Vector256.Create(5.0000001201e-1f);
        sum = (sum * (r * r)) + r + Vector256<float>.One;

        // 2^power in two factors, since it may be beyond the normal floats where the product is not
        var exponent = Vector256.ConvertToInt32(power);
        var half = exponent >> 1;
        return sum * TwoTo(half) * TwoTo(exponent - half);
    }

    private static Vector256<float> TwoTo(Vector256<int> exponent) => ((exponent + Vector256.Create(127)) << 23).AsSingle();

    private static void Apply<TOperator>(ReadOnlySpan<float> x, Span<float> y)
        where TOperator : struct, IOperator
    {
        ref float from = ref MemoryMarshal.GetReference(x);
        ref float to = ref MemoryMarshal.GetReference(y[..x.Length]);
        nuint i = 0, whole = (nuint)(x.Length / Lanes * Lanes);
        for (; i < whole; i += Lanes)
        {
            TOperator.Of(Vector256.LoadUnsafe(ref from, i)).StoreUnsafe(ref to, i);
        }

        int rest = x.Length - (int)i;
        if (rest > 0)
        {
            Span<float> last = stackalloc float[Lanes];
            last.Clear();
            x[(int)i..].CopyTo(last);
            TOperator.Of(Vector256.Create<float>(last)).CopyTo(last);
            last[..rest].CopyTo(y[(int)i..]);
        }
    }

    private interface IOperator
    {
        static abstract Vector256<float> Of(Vector256<float> x);
    }

    private readonly struct ExpOperator : IOperator
    {
        public static Vector256<float> Of(Vector256<float> x) => Exp(x);
    }

    private readonly struct SigmoidOperator : IOperator
    {
        public static Vector256<float> Of(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));
    }
}
