using System.Runtime.Intrinsics;
using Compress.Runtime;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>Rotations of neighbouring rows of a matrix <c>[n, n]</c>, kept until there are enough of them to go through columns that stay in the cache.</summary>
internal sealed unsafe class PlaneRotations(double[] matrix, int n)
{
    /// <summary>Columns that are rotated together: two cache lines.</summary>
    private const int Columns = 16;

    private readonly List<(int Row, double Cos, double Sin)> rotations = [];
    private readonly int capacity = Math.Max(1 << 14, 32 * n);

    /// <summary>Rotates rows <paramref name="row"/> (x) and the next (y): <c>x = c x − s y</c>, <c>y = s x + c y</c>.</summary>
    public void Add(int row, double cos, double sin)
    {
        rotations.Add((row, cos, sin));
        if (rotations.Count == capacity)
        {
            Apply();
        }
    }

    /// <summary>Does what has not been done.</summary>
    public void Apply()
    {
        Parallel.For(0, (n + Columns - 1) / Columns, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads }, index =>
        {
            int first = index * Columns, count = Math.Min(Columns, n - first);
            fixed (double* pinned = matrix)
            {
                foreach (var (row, cos, sin) in rotations)
                {
                    double* x = pinned + ((long)row * n) + first, y = x + n;
                    int j = 0;
                    for (; j <= count - 4; j += 4)
                    {
                        Vector256<double> a = Vector256.Load(x + j), b = Vector256.Load(y + j);
                        ((cos * a) - (sin * b)).Store(x + j);
                        ((sin * a) + (cos * b)).Store(y + j);
                    }

                    for (; j < count; j++)
                    {
                        (x[j], y[j]) = ((cos * x[j]) - (sin * y[j]), (sin * x[j]) + (cos * y[j]));
                    }
                }
            }
        });
        rotations.Clear();
    }
}
