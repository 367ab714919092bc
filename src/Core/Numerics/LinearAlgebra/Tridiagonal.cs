using Compress.Runtime;

namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// Householder's reduction of a symmetric matrix, <c>A = Q T Qᵀ</c> with T tridiagonal (Golub and Van Loan, "Matrix Computations", 8.3.1). One pass over what
/// is left of the matrix makes the changes of the last reflection and multiplies with the next one's vector.
/// </summary>
internal sealed class Tridiagonal
{
    /// <summary>Rows that a thread takes at a time.</summary>
    private const int RowBlock = 64;

    /// <summary>Vectors that are reflected together: each reflection is read once for all of them.</summary>
    private const int VectorBlock = 16;

    private readonly double[] work;
    private readonly double[] factors;
    private readonly int n;

    /// <param name="matrix"><c>[n, n]</c>, row-major, symmetric, with values whose products stay finite; is overwritten.</param>
    /// <param name="n">Rows and columns.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public Tridiagonal(double[] matrix, int n, CancellationToken cancellationToken)
    {
        (work, this.n) = (matrix, n);
        (Diagonal, Beside, factors) = (new double[n], new double[n], new double[n]);
        double[] last = new double[n], lastProduct = new double[n], product = new double[n];
        bool pending = false;
        for (int k = 0; k < n; k++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (pending)
            {
                Update(k, k, last, lastProduct);
            }

            Diagonal[k] = Row(k)[k];
            if (k == n - 1)
            {
                break;
            }

            (Beside[k], factors[k]) = Reflection(Row(k)[(k + 1)..]);
            double[] v = new double[n];
            Row(k)[(k + 1)..].CopyTo(v.AsSpan(k + 1));
            bool update = pending;
            int first = k + 1;
            ForEachRow(first, row =>
            {
                if (update)
                {
                    Update(row, first, last, lastProduct);
                }

                product[row] = factors[first - 1] * FixedOrder.Dot(Row(row)[first..], v.AsSpan(first));
            });

            // A − v wᵀ − w vᵀ with w = p − ½ β (pᵀ v) v
            double half = 0.5 * factors[k] * FixedOrder.Dot(product.AsSpan(first), v.AsSpan(first));
            for (int i = first; i < n; i++)
            {
                product[i] -= half * v[i];
            }

            (last, lastProduct, product, pending) = (v, product, lastProduct, factors[k] != 0);
        }
    }

    /// <summary>The diagonal of T.</summary>
    public double[] Diagonal { get; }

    /// <summary>The elements beside it: that of i and i + 1. The last is 0.</summary>
    public double[] Beside { get; }

    /// <summary>Multiplies vectors by Q: the rows of a matrix <c>[n, n]</c>.</summary>
    public void Rotate(double[] vectors, CancellationToken cancellationToken) =>
        Parallel.For(0, (n + VectorBlock - 1) / VectorBlock,
            new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads, CancellationToken = cancellationToken }, index =>
        {
            int start = index * VectorBlock, end = Math.Min(n, start + VectorBlock);
            for (int k = n - 2; k >= 0; k--)
            {
                var v = Row(k)[(k + 1)..];
                for (int row = start; row < end && factors[k] != 0; row++)
                {
                    var vector = vectors.AsSpan((row * n) + k + 1, v.Length);
                    FixedOrder.AddProduct(-factors[k] * FixedOrder.Dot(v, vector), v, vector);
                }
            }
        });

    // Makes x the vector v of the reflection 1 − β v vᵀ that leaves of it its first element only, and returns that and β.
    private static (double First, double Factor) Reflection(Span<double> x)
    {
        double first = x[0], rest = FixedOrder.Dot(x[1..], x[1..]);
        if (rest == 0)
        {
            return (first, 0);
        }

        double norm = Math.Sqrt((first * first) + rest);
        x[0] = first >= 0 ? first + norm : first - norm;
        return (first >= 0 ? -norm : norm, 1 / (norm * (norm + Math.Abs(first))));
    }

    private Span<double> Row(int row) => work.AsSpan(row * n, n);

    private void Update(int row, int first, double[] v, double[] w)
    {
        var values = Row(row)[first..];
        FixedOrder.AddProduct(-v[row], w.AsSpan(first), values);
        FixedOrder.AddProduct(-w[row], v.AsSpan(first), values);
    }

    private void ForEachRow(int first, Action<int> body)
    {
        int blocks = (n - first + RowBlock - 1) / RowBlock;
        Parallel.For(0, blocks, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads }, index =>
        {
            for (int row = first + (index * RowBlock); row < Math.Min(n, first + ((index + 1) * RowBlock)); row++)
            {
                body(row);
            }
        });
    }
}
