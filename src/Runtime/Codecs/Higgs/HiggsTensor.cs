using System.Buffers;
using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Runtime.Codecs.Higgs;

/// <summary>
/// HIGGS (Malinovskii et al., arXiv 2411.17525): the rows are rotated by a randomized Hadamard transform, after which their
/// entries are nearly normal; each <c>p</c> of them is a code of a grid of <c>n</c> points, times a scale for each group.
/// </summary>
internal sealed class HiggsTensor : PackedTensor
{
    private readonly Kernel kernel;
    private readonly Rotation rotation;
    private readonly HiggsCodes codes; // of the rotated weights

    public HiggsTensor(PackedParts parts, Kernel? kernel = null)
        : base(parts)
    {
        this.kernel = kernel ?? Kernel.Best;
        int p = parts.Int("p", 1, 8);
        if (p is 5 or 6 or 7)
        {
            throw parts.Bad($"parameter 'p' is {p}, not 1, 2, 3, 4 or 8");
        }

        int n = parts.Int("n", 2, 1 << CodePacking.MaxBits);
        int groupSize = parts.PowerOfTwo("groupSize", 16, 4096);
        int scaled = CodeMatrix.CodeCount(groupSize, p) * p; // a group begins with a code
        rotation = new(Math.Max(Columns, 1), groupSize, parts.UInt64("seed"), kernel);
        var (stored, layout) = parts.Codes("codes", Rows, CodeMatrix.CodeCount(Columns, p), n);
        codes = new(parts, layout, new()
        {
            Rows = Rows,
            Columns = Columns,
            Bits = layout.Bits,
            GroupSize = scaled,
            Codes = stored,
            Scales = new(parts, (long)Rows * CodeMatrix.GroupCount(Columns, scaled)),
            Codebook = Codebook.Points(ReadGrid(parts, p, n, 1 << layout.Bits), p),
        });
        CountBits(parts);
    }

    public override string Codec => "higgs";

    private protected override void DequantizeCore(int firstRow, int rowCount, Span<float> destination)
    {
        // So few rows at a time that they are still in the first-level cache when they are rotated back.
        int step = Math.Max(1, 4096 / Columns);
        float[] factors = ArrayPool<float>.Shared.Rent(Columns);
        rotation.InverseFactors(factors);
        for (int done = 0; done < rowCount; done += step)
        {
            int rows = Math.Min(step, rowCount - done);
            var part = destination.Slice(done * Columns, rows * Columns);
            codes.Decode(kernel, firstRow + done, rows, part);
            for (int row = 0; row < rows; row++)
            {
                rotation.Invert(part.Slice(row * Columns, Columns), factors);
            }
        }

        ArrayPool<float>.Shared.Return(factors);
    }

    // <w, x> = <Qw, Qx>: rotating the few activations saves rotating the many weights back.
    private protected override void MultiplyCore(ReadOnlySpan<float> x, Span<float> y, int batch, ref RotatedInput rotated) =>
        PackedProduct.Multiply(kernel, codes.Plain, rotated.Get(x, Columns, rotation), y, batch);

    /// <summary>A table of 2^bits entries, so that no code reads outside it; entries from n on are zero.</summary>
    private static float[] ReadGrid(PackedParts parts, int p, int n, int entries)
    {
        float[] grid = new float[entries * p];
        string name = $"grid.p{p}n{n}";
        if (n <= 16)
        {
            var stored = parts.Shared(name, DType.BF16, n * p).All<ushort>();
            for (int i = 0; i < stored.Length; i++)
            {
                grid[i] = BitConverter.UInt32BitsToSingle((uint)stored[i] << 16);
            }
        }
        else
        {
            var stored = parts.Shared(name, DType.F16, n * p).All<Half>();
            for (int i = 0; i < stored.Length; i++)
            {
                grid[i] = (float)stored[i];
            }
        }

        // Kernels read past a point into the next one and multiply it by zero.
        return Array.TrueForAll(grid, float.IsFinite) ? grid : throw parts.Bad($"its table '{name}' holds a value that is not finite");
    }
}
