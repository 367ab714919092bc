using System.Numerics;
using Compress.Core.Numerics;
using Compress.Runtime;
using Compress.Runtime.Numerics;

namespace Compress.Core.Codecs.Higgs;

/// <summary>
/// The second moments of rotated inputs: <c>R H Rᵀ</c>, R being the <see cref="Rotation"/> of a row of weights and of an input alike. In doubles, because what
/// feedback makes of H depends on its least eigenvalues.
/// </summary>
internal static class RotatedMoments
{
    /// <summary>Rotates both sides.</summary>
    /// <param name="moments">H, <c>[width, width]</c>, symmetric.</param>
    /// <param name="width">Columns of a row of weights.</param>
    /// <param name="groupSize">The largest block of the rotation.</param>
    /// <param name="seed">Seed of the signs.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns><c>[width, width]</c>, symmetric within rounding.</returns>
    public static double[] Of(double[] moments, int width, int groupSize, ulong seed, CancellationToken cancellationToken)
    {
        double[] rotated = [.. moments];
        float[] signs = new float[width];
        Array.Fill(signs, 1);
        Signs.Flip(signs, seed, 0);
        int block = (int)Math.Min((uint)groupSize, BitOperations.RoundUpToPowerOf2(((uint)width / 2) + 1));
        var options = new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads, CancellationToken = cancellationToken };
        for (int side = 0; side < 2; side++)
        {
            Parallel.For(0, width, options, row => Rotate(rotated.AsSpan(row * width, width), signs, block));
            Transpose(rotated, width);
        }

        return rotated;
    }

    private static void Rotate(Span<double> row, float[] signs, int block)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] *= signs[i];
        }

        for (int start = 0; start + block <= row.Length; start += block)
        {
            Hadamard(row.Slice(start, block));
        }

        if (row.Length % block != 0)
        {
            Hadamard(row[^block..]);
        }
    }

    private static void Hadamard(Span<double> block)
    {
        for (int distance = 1; distance < block.Length; distance *= 2)
        {
            for (int start = 0; start < block.Length; start += 2 * distance)
            {
                FixedOrder.Butterfly(block.Slice(start, distance), block.Slice(start + distance, distance));
            }
        }

        double norm = 1 / Math.Sqrt(block.Length);
        for (int i = 0; i < block.Length; i++)
        {
            block[i] *= norm;
        }
    }

    private static void Transpose(double[] matrix, int n)
    {
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < i; j++)
            {
                (matrix[(i * n) + j], matrix[(j * n) + i]) = (matrix[(j * n) + i], matrix[(i * n) + j]);
            }
        }
    }
}
