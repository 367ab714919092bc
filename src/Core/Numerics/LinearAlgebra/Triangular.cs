using System.Runtime.Intrinsics;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>Systems of equations with small triangular matrices, many right-hand sides at a time.</summary>
internal static unsafe class Triangular
{
    /// <summary>The largest matrix: 8 KiB in doubles.</summary>
    public const int MaxWidth = 32;

    /// <summary>Solves <c>X Lᵀ = B</c> row by row, in place.</summary>
    /// <param name="lower">L, <c>[width, stride]</c>; only its lower triangle is read.</param>
    /// <param name="stride">From one row of L to the next.</param>
    /// <param name="width">At most <see cref="MaxWidth"/>.</param>
    /// <param name="b">B, <c>[rows, bStride]</c>; receives X.</param>
    /// <param name="bStride">From one row of B to the next.</param>
    /// <param name="rows">Rows of B.</param>
    public static void SolveTransposed(double* lower, long stride, int width, double* b, long bStride, int rows)
    {
        // Rows of Lᵀ in whole vectors, zero where they are not subtracted.
        double* upper = stackalloc double[MaxWidth * MaxWidth];
        new Span<double>(upper, MaxWidth * MaxWidth).Clear();
        for (int i = 0; i < width; i++)
        {
            for (int k = i + 1; k < width; k++)
            {
                upper[(i * MaxWidth) + k] = lower[(k * stride) + i];
            }
        }

        double* x = stackalloc double[MaxWidth];
        new Span<double>(x, MaxWidth).Clear();
        for (int row = 0; row < rows; row++, b += bStride)
        {
            new Span<double>(b, width).CopyTo(new(x, width));
            for (int i = 0; i < width; i++)
            {
                x[i] /= lower[(i * stride) + i];
                var value = Vector256.Create(x[i]);
                double* factors = upper + (i * MaxWidth);
                for (int k = (i + 1) / 4 * 4; k < width; k += 4)
                {
                    (Vector256.Load(x + k) - (value * Vector256.Load(factors + k))).Store(x + k);
                }
            }

            new Span<double>(x, width).CopyTo(new(b, width));
        }
    }
}
