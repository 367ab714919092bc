using System.Numerics;
using Compress.Runtime.Kernels;

namespace Compress.Runtime.Numerics;

/// <summary>
/// The randomized Hadamard transform of rows of any width: signs, then the orthonormal Walsh–Hadamard transform of the disjoint
/// blocks [0, B), [B, 2B), … with B = min(groupSize, the largest power of two ≤ width), then, if B does not divide the width, of the
/// last B columns, which overlap. Orthogonal for every width, without padding. Bit-exact: the same floats on every machine.
/// </summary>
internal readonly record struct Rotation
{
    private readonly int width;
    private readonly int block;
    private readonly ulong seed;
    private readonly Kernel kernel;

    /// <param name="width">Columns of a row, at least 1.</param>
    /// <param name="groupSize">The largest block, a power of two.</param>
    /// <param name="seed">Seed of the signs.</param>
    /// <param name="kernel">What computes it; the best one by default.</param>
    public Rotation(int width, int groupSize, ulong seed, Kernel? kernel = null)
    {
        this.kernel = kernel ?? Kernel.Best;
        this.width = width;
        this.seed = seed;
        block = (int)Math.Min((uint)groupSize, BitOperations.RoundUpToPowerOf2(((uint)width / 2) + 1));
    }

    /// <summary>Rotates a row in place. Rotating weights and activations alike keeps their products.</summary>
    public void Apply(Span<float> row)
    {
        row = row[..width];
        kernel.FlipSigns(row, seed);
        for (int start = 0; start + block <= width; start += block)
        {
            kernel.Hadamard(row.Slice(start, block));
        }

        if (width % block != 0)
        {
            kernel.Hadamard(row[^block..]);
        }
    }

    /// <summary>
    /// What <see cref="Invert"/> multiplies columns by: their signs, times 1/√B in the disjoint blocks. One multiplication by both is
    /// exactly the one by 1/√B and a flipped sign.
    /// </summary>
    /// <param name="factors">One for each column.</param>
    public void InverseFactors(Span<float> factors)
    {
        factors = factors[..width];
        int blocks = width / block * block;
        factors[..blocks].Fill(ScalarKernel.Norm(block));
        factors[blocks..].Fill(1);
        kernel.FlipSigns(factors, seed);
    }

    /// <summary>Undoes <see cref="Apply"/>, up to rounding.</summary>
    /// <param name="row">A row.</param>
    /// <param name="factors">What <see cref="InverseFactors"/> gives.</param>
    public void Invert(Span<float> row, ReadOnlySpan<float> factors)
    {
        row = row[..width];
        if (width % block != 0)
        {
            kernel.Hadamard(row[^block..]);
        }

        int start = 0;
        for (; start + block <= width; start += block)
        {
            kernel.Hadamard(row.Slice(start, block), factors[start..]);
        }

        for (; start < width; start++)
        {
            row[start] *= factors[start];
        }
    }
}
