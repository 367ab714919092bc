namespace Compress.Core.Numerics.LinearAlgebra;

/// <summary>
/// The decomposition <c>H = U D Uᵀ</c> with U unit upper block triangular and D block diagonal: block LDL (QuIP#, arXiv 2402.04396, section 4) with
/// columns counted from the other end, so that feedback runs from the first block to the last. If blocks of columns are quantized in that order,
/// each as <c>W_k + Σ_{j&lt;k} (W − Ŵ)_j U_jk</c> with the error η_k, then <c>tr((W − Ŵ) H (W − Ŵ)ᵀ) = Σ tr(η_k D_k η_kᵀ)</c>.
/// </summary>
internal sealed class BlockLdl
{
    /// <param name="factor">R, <c>[n, n]</c>, upper triangular with <c>H = R Rᵀ</c>; becomes U.</param>
    /// <param name="n">Rows and columns.</param>
    /// <param name="blockSize">Columns of a block; the last may be smaller.</param>
    public BlockLdl(double[] factor, int n, int blockSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockSize, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(factor.LongLength, (long)n * n);
        (Factor, N, BlockSize) = (factor, n, blockSize);
        double[] blocks = CutBlocks();
        Diagonals = Squares(blocks);
        for (int row = 0; row < n; row++)
        {
            Normalize(row, blocks);
        }
    }

    /// <summary>U, <c>[n, n]</c>, row-major: unit blocks on the diagonal, zero below.</summary>
    public double[] Factor { get; }

    /// <summary>Rows and columns.</summary>
    public int N { get; }

    /// <summary>Columns of a block.</summary>
    public int BlockSize { get; }

    /// <summary>D: its blocks' rows one after another, <c>[n, BlockSize]</c>.</summary>
    public double[] Diagonals { get; }

    /// <summary>D's element of two columns of one block.</summary>
    public double Diagonal(int row, int column) => Diagonals[(row * BlockSize) + (column % BlockSize)];

    // The diagonal blocks R_kk, [n, blockSize]; identities take their place.
    private double[] CutBlocks()
    {
        double[] blocks = new double[checked(N * BlockSize)];
        for (int row = 0; row < N; row++)
        {
            int first = row / BlockSize * BlockSize, size = Math.Min(BlockSize, N - first);
            var block = Factor.AsSpan(checked((int)(((long)row * N) + first)), size);
            block.CopyTo(blocks.AsSpan(row * BlockSize));
            block.Clear();
            block[row - first] = 1;
        }

        return blocks;
    }

    // D_k = R_kk R_kkᵀ
    private double[] Squares(double[] blocks)
    {
        double[] squares = new double[blocks.Length];
        for (int row = 0; row < N; row++)
        {
            int first = row / BlockSize * BlockSize;
            for (int other = first; other < Math.Min(first + BlockSize, N); other++)
            {
                double sum = 0;
                for (int k = 0; k < BlockSize; k++)
                {
                    sum += blocks[(row * BlockSize) + k] * blocks[(other * BlockSize) + k];
                }

                squares[(row * BlockSize) + other - first] = sum;
            }
        }

        return squares;
    }

    // X R_kk = R_jk for the blocks k to the right of a row, each from its left: R_kk is upper triangular.
    private void Normalize(int row, double[] blocks)
    {
        var values = Factor.AsSpan(checked((int)((long)row * N)), N);
        for (int first = (row / BlockSize * BlockSize) + BlockSize; first < N; first += BlockSize)
        {
            for (int k = 0; k < Math.Min(BlockSize, N - first); k++)
            {
                double value = values[first + k];
                for (int i = 0; i < k; i++)
                {
                    value -= values[first + i] * blocks[((first + i) * BlockSize) + k];
                }

                values[first + k] = value / blocks[((first + k) * BlockSize) + k];
            }
        }
    }
}
