using System.Runtime.Intrinsics;
using Compress.Runtime;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// The product of many rotations of neighbouring rows, <c>[n, n]</c>. They are kept until there are enough of them to go through some columns that stay in
/// the cache; these lie together, because rows a power of two apart would fall on the same lines of it.
/// </summary>
internal sealed unsafe class PlaneRotations
{
    /// <summary>Columns that are rotated together: two cache lines.</summary>
    private const int Width = 16;

    private readonly int n;
    private readonly double[][] columns;
    private readonly List<(int Row, double Cos, double Sin)> rotations = [];
    private readonly int capacity;

    public PlaneRotations(int n)
    {
        (this.n, capacity) = (n, Math.Max(1 << 14, 32 * n));
        columns = new double[(n + Width - 1) / Width][];
        for (int part = 0; part < columns.Length; part++)
        {
            columns[part] = new double[n * Width];
            for (int j = part * Width; j < Math.Min(n, (part + 1) * Width); j++)
            {
                columns[part][(j * Width) + (j % Width)] = 1;
            }
        }
    }

    /// <summary>Rotates rows <paramref name="row"/> (x) and the next (y): <c>x = c x − s y</c>, <c>y = s x + c y</c>.</summary>
    public void Add(int row, double cos, double sin)
    {
        rotations.Add((row, cos, sin));
        if (rotations.Count == capacity)
        {
            Apply();
        }
    }

    /// <summary>The product, row-major.</summary>
    public double[] ToMatrix()
    {
        Apply();
        double[] matrix = new double[checked(n * n)];
        for (int i = 0; i < matrix.Length; i++)
        {
            var (row, column) = (i / n, i % n);
            matrix[i] = columns[column / Width][(row * Width) + (column % Width)];
        }

        return matrix;
    }

    private void Apply()
    {
        Parallel.For(0, columns.Length, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads }, part =>
        {
            fixed (double* pinned = columns[part])
            {
                foreach (var (row, cos, sin) in rotations)
                {
                    double* x = pinned + ((long)row * Width), y = x + Width;
                    for (int j = 0; j < Width; j += 4)
                    {
                        Vector256<double> a = Vector256.Load(x + j), b = Vector256.Load(y + j);
                        ((cos * a) - (sin * b)).Store(x + j);
                        ((sin * a) + (cos * b)).Store(y + j);
                    }
                }
            }
        });
        rotations.Clear();
    }
}
