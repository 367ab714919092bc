using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Codecs.LowRank;

/// <summary>
/// The products of two thin matrices that are nearest to a matrix A, by rank: in the least squares of its elements (Eckart and Young, 1936), or of its outputs
/// A x for inputs with second moments H, which is the truncated singular value decomposition of A S with S Sᵀ = H (Wang et al., "SVD-LLM", arXiv 2403.07378). The
/// squared error of rank k is the sum of the squared singular values after the k-th.
/// <para>
/// Squared singular values are computed as eigenvalues of A H Aᵀ or Sᵀ Aᵀ A S, whichever is smaller: to about 2⁻⁵⁰ of the greatest of them, so that a singular value has
/// half of a double's digits where it is a 10⁻⁸th of the greatest. Errors of that size are far below those of storing factors in any type. S is never inverted, and
/// H may be singular.
/// </para>
/// </summary>
internal sealed class Factorization
{
    private readonly Matrix a;
    private readonly Matrix vectors; // of the smaller side
    private readonly Matrix? whitening; // S, where the right side is the smaller

    /// <param name="a">A, <c>[rows, columns]</c>; its largest element is of the order of 1.</param>
    /// <param name="moments">H, <c>[columns, columns]</c>; null for the least error of elements.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Factorization(Matrix a, Matrix? moments, CancellationToken cancellationToken)
    {
        this.a = a;
        int n = Math.Min(a.Rows, a.Columns);
        Matrix gram;
        if (IsWide)
        {
            gram = (moments is null ? a : a.Times(moments)).Times(a, transposed: true);
        }
        else
        {
            var at = a.Transposed();
            gram = at.Times(at, transposed: true);
            if (moments is not null)
            {
                whitening = Root(moments, cancellationToken);
                gram = whitening.Transposed().Times(gram).Times(whitening);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        var eigen = SymmetricEigen.Of(gram.Values, n, cancellationToken) ?? throw new InvalidOperationException("the statistics hold a value that is not finite");
        vectors = new(eigen.Vectors, n, n);
        Energies = [.. eigen.Values.Select(value => Math.Max(value, 0))];
    }

    /// <summary>The squared singular values, the greatest first.</summary>
    public double[] Energies { get; }

    private bool IsWide => a.Rows <= a.Columns;

    /// <summary>The least rank, at least 1, that keeps a part of the energy.</summary>
    public int RankOf(double part)
    {
        double total = 0, kept = 0;
        foreach (double energy in Energies)
        {
            total += energy;
        }

        int rank = 0;
        while (rank < Energies.Length && (rank == 0 || kept < part * total))
        {
            kept += Energies[rank++];
        }

        return rank;
    }

    /// <summary>
    /// The factors of a rank. Column j of the left one is as long as row j of the right one, by which the noise of storing either does the same harm.
    /// </summary>
    public (Matrix Left, Matrix Right) Factors(int rank)
    {
        var top = vectors.Top(rank);
        Matrix left, right;
        if (IsWide)
        {
            left = top.Transposed();
            right = top.Times(a);
        }
        else if (whitening is null)
        {
            left = a.Times(top, transposed: true);
            right = top;
        }
        else
        {
            // A S V Σ⁻² (A S V)ᵀ A: U Uᵀ A without an inverse of S.
            left = a.Times(whitening.Times(top, transposed: true));
            right = left.Transposed().Times(a);
            Divide(right);
        }

        Balance(left, right);
        return (left, right);
    }

    // What is left of directions without energy is rounding.
    private void Divide(Matrix right)
    {
        for (int k = 0; k < right.Rows; k++)
        {
            bool counts = Energies[k] > Math.ScaleB(Energies[0], -46);
            foreach (ref double value in right.Values.AsSpan(k * right.Columns, right.Columns))
            {
                value = counts ? value / Energies[k] : 0;
            }
        }
    }

    private static void Balance(Matrix left, Matrix right)
    {
        int rank = right.Rows;
        for (int k = 0; k < rank; k++)
        {
            double ofLeft = 0, ofRight = 0;
            for (int i = 0; i < left.Rows; i++)
            {
                double value = left.Values[((long)i * rank) + k];
                ofLeft += value * value;
            }

            var row = right.Values.AsSpan(k * right.Columns, right.Columns);
            foreach (double value in row)
            {
                ofRight += value * value;
            }

            double factor = ofLeft > 0 && ofRight > 0 ? Math.Sqrt(Math.Sqrt(ofRight / ofLeft)) : 0;
            for (int i = 0; i < left.Rows; i++)
            {
                left.Values[((long)i * rank) + k] *= factor;
            }

            foreach (ref double value in row)
            {
                value = factor == 0 ? 0 : value / factor;
            }
        }
    }

    // S with S Sᵀ = H: eigenvectors times the roots of eigenvalues.
    private static Matrix Root(Matrix moments, CancellationToken cancellationToken)
    {
        int n = moments.Rows;
        var eigen = SymmetricEigen.Of(moments.Values, n, cancellationToken) ?? throw new InvalidOperationException("the statistics hold a value that is not finite");
        var root = new Matrix(n, n);
        for (int k = 0; k < n; k++)
        {
            double length = Math.Sqrt(Math.Max(eigen.Values[k], 0));
            for (int i = 0; i < n; i++)
            {
                root.Values[((long)i * n) + k] = eigen.Vectors[((long)k * n) + i] * length;
            }
        }

        return root;
    }
}
