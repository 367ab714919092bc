namespace Compress.Runtime.Numerics;

/// <summary>The orthonormal Walsh–Hadamard transform in natural (Sylvester) order; it is its own inverse.</summary>
internal static class Hadamard
{
    /// <summary>
    /// Transforms a block in place: butterflies (a + b, a − b) at distances 1, 2, 4, …, then one multiplication by the float nearest 1/√length.
    /// That order of operations is part of the packed format.
    /// </summary>
    /// <param name="block">Its length is a power of two.</param>
    public static void Transform(Span<float> block)
    {
        for (int distance = 1; distance < block.Length; distance *= 2)
        {
            for (int start = 0; start < block.Length; start += 2 * distance)
            {
                for (int i = start; i < start + distance; i++)
                {
                    (float a, float b) = (block[i], block[i + distance]);
                    block[i] = a + b;
                    block[i + distance] = a - b;
                }
            }
        }

        float norm = (float)(1 / Math.Sqrt(block.Length));
        for (int i = 0; i < block.Length; i++)
        {
            block[i] *= norm;
        }
    }
}
