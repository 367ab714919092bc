using System.Numerics;
using Compress.Core.LanguageModels.Blocks;
using Compress.Core.Numerics.LinearAlgebra;

namespace Compress.Core.Calibration;

/// <summary>
/// The covariance of vectors, such as final hidden states, over tokens: <c>E[z zᵀ] − E[z] E[z]ᵀ</c>. All sums are in double, token by token, so that they
/// are the same bits everywhere. Tokens with values that are not finite are left out and counted.
/// </summary>
/// <param name="width">Length of a vector.</param>
internal sealed class OutputCovariance(int width) : IVectorObserver
{
    private readonly double[] sums = new double[width];
    private readonly double[] products = new double[checked(width * width)]; // on and above the diagonal

    /// <summary>Tokens that were summed.</summary>
    public long Tokens { get; private set; }

    /// <summary>Tokens that were left out.</summary>
    public long Skipped { get; private set; }

    /// <inheritdoc/>
    public void Add(ReadOnlySpan<float> vectors, int tokens)
    {
        var kept = new List<double[]>(tokens);
        for (int token = 0; token < tokens; token++)
        {
            double[] row = new double[width];
            for (int i = 0; i < width; i++)
            {
                row[i] = vectors[(token * width) + i];
            }

            if (Numerics.Finite.All(row))
            {
                kept.Add(row);
                for (int i = 0; i < width; i++)
                {
                    sums[i] += row[i];
                }
            }
        }

        Tokens += kept.Count;
        Skipped += tokens - kept.Count;
        Threads.For(width, i =>
        {
            var sum = products.AsSpan(i * width, width)[i..];
            foreach (double[] row in kept)
            {
                AddMultiple(row[i], row.AsSpan(i), sum);
            }
        });
    }

    /// <summary><c>E[z]</c>, [width]; NaN without any token.</summary>
    public double[] Means() => Array.ConvertAll(sums, sum => sum / Tokens);

    /// <summary>The covariance, [width, width], symmetric to the bit; NaN without any token.</summary>
    public double[] Covariance()
    {
        double[] means = Means(), covariance = new double[products.Length];
        for (int i = 0; i < width; i++)
        {
            for (int j = i; j < width; j++)
            {
                covariance[(i * width) + j] = covariance[(j * width) + i] = (products[(i * width) + j] / Tokens) - (means[i] * means[j]);
            }
        }

        return covariance;
    }

    /// <summary>The directions in which the vectors vary most: orthonormal rows, [count, width], the one of greatest variance first.</summary>
    /// <param name="count">How many, at most as many as the vectors are long.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="InvalidOperationException">No token was summed, or their products are not finite.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public float[] PrincipalComponents(int count, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)width);
        var eigen = SymmetricEigen.Of(Covariance(), width, cancellationToken) ?? throw new InvalidOperationException("the covariance is not finite");
        return Array.ConvertAll(eigen.Vectors[..(count * width)], value => (float)value);
    }

    // Products are rounded before they are added.
    private static void AddMultiple(double factor, ReadOnlySpan<double> row, Span<double> sum)
    {
        int i = 0;
        for (; i <= sum.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            (new Vector<double>(sum[i..]) + (new Vector<double>(row[i..]) * factor)).CopyTo(sum[i..]);
        }

        for (; i < sum.Length; i++)
        {
            sum[i] += row[i] * factor;
        }
    }
}
