namespace Compress.Core.Codecs.Crvq;

/// <summary>Products of a small symmetric matrix.</summary>
internal static class Quadratic
{
    /// <summary><c>B v</c>.</summary>
    /// <param name="block">B, <c>[n, n]</c>.</param>
    /// <param name="v">v, <c>[n]</c>.</param>
    /// <param name="result">Receives <c>[n]</c>.</param>
    public static void Multiply(ReadOnlySpan<float> block, ReadOnlySpan<float> v, Span<float> result)
    {
        for (int i = 0; i < v.Length; i++)
        {
            result[i] = Dot(block.Slice(i * v.Length, v.Length), v);
        }
    }

    /// <summary><c>vᵀ B v</c>.</summary>
    public static float Form(ReadOnlySpan<float> block, ReadOnlySpan<float> v)
    {
        float sum = 0;
        for (int i = 0; i < v.Length; i++)
        {
            sum += v[i] * Dot(block.Slice(i * v.Length, v.Length), v);
        }

        return sum;
    }

    /// <summary><c>Σ a b</c>, from the first to the last.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
