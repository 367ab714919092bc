using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Compress.Runtime.Kernels;

/// <summary>
/// How points of so many coordinates are multiplied: with a multiply-add whose operand is the codebook itself. Where a point does not fill a vector, the activations
/// have zeros above, and what follows the point in memory counts for nothing.
/// </summary>
/// <typeparam name="V">A vector of at least as many floats.</typeparam>
internal interface IPoint<V>
{
    /// <summary>Coordinates.</summary>
    static abstract int Dimension { get; }

    /// <summary>The activations that a point meets; reads a whole vector at most.</summary>
    static abstract unsafe V Activation(float* x);

    /// <summary>sum + point · x, each coordinate for itself.</summary>
    static abstract unsafe V MultiplyAdd(V x, float* table, nuint code, V sum);

    /// <summary>The sum of the coordinates' sums.</summary>
    static abstract float Total(V sum);

    /// <summary>Copies a point; writes a whole vector at most.</summary>
    static abstract unsafe void Copy(float* table, nuint code, float* destination);
}

/// <summary>One coordinate.</summary>
internal readonly unsafe struct SinglePoint : IPoint<Vector128<float>>
{
    public static int Dimension => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Activation(float* x) => Vector128.CreateScalar(*x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> x, float* table, nuint code, Vector128<float> sum) =>
        Vector128.MultiplyAddEstimate(x, Vector128.CreateScalar(table[code]), sum);

    public static float Total(Vector128<float> sum) => sum[0];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* table, nuint code, float* destination) => *destination = table[code];
}

/// <summary>Two coordinates. Gathers, and joining points into whole vectors, take more instructions for each weight.</summary>
internal readonly unsafe struct PairPoint : IPoint<Vector128<float>>
{
    public static int Dimension => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Activation(float* x) => Vector128.CreateScalar(*(double*)x).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> x, float* table, nuint code, Vector128<float> sum) =>
        Vector128.MultiplyAddEstimate(x, Vector128.Load((float*)((double*)table + code)), sum);

    public static float Total(Vector128<float> sum) => sum[0] + sum[1];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* table, nuint code, float* destination) => *(double*)destination = ((double*)table)[code];
}

/// <summary>Three coordinates.</summary>
internal readonly unsafe struct TriplePoint : IPoint<Vector128<float>>
{
    public static int Dimension => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Activation(float* x) => Vector128.Load(x) & Vector128.Create(-1, -1, -1, 0).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> x, float* table, nuint code, Vector128<float> sum) =>
        Vector128.MultiplyAddEstimate(x, Vector128.Load(table + (3 * code)), sum);

    public static float Total(Vector128<float> sum) => sum[0] + sum[1] + sum[2];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* table, nuint code, float* destination) => Vector128.Store(Vector128.Load(table + (3 * code)), destination);
}

/// <summary>Four coordinates.</summary>
internal readonly unsafe struct QuadPoint : IPoint<Vector128<float>>
{
    public static int Dimension => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Activation(float* x) => Vector128.Load(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> x, float* table, nuint code, Vector128<float> sum) =>
        Vector128.MultiplyAddEstimate(x, Vector128.Load(table + (4 * code)), sum);

    public static float Total(Vector128<float> sum) => Vector128.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* table, nuint code, float* destination) => Vector128.Store(Vector128.Load(table + (4 * code)), destination);
}

/// <summary>Eight coordinates.</summary>
internal readonly unsafe struct OctetPoint : IPoint<Vector256<float>>
{
    public static int Dimension => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Activation(float* x) => Vector256.Load(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> x, float* table, nuint code, Vector256<float> sum) =>
        Vector256.MultiplyAddEstimate(x, Vector256.Load(table + (8 * code)), sum);

    public static float Total(Vector256<float> sum) => Vector256.Sum(sum);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* table, nuint code, float* destination) => Vector256.Store(Vector256.Load(table + (8 * code)), destination);
}
