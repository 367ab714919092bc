using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Numerics.LinearAlgebra;

/// <summary>Matrices whose properties are known, and products the slow way.</summary>
internal static class Matrices
{
    /// <summary>ρ^|i − j|: the moments of an autoregressive process of variance 1. H = L D Lᵀ has D = 1, 1 − ρ², 1 − ρ², …</summary>
    public static double[] Autoregressive(int n, double correlation) => Make(n, n, (i, j) => Math.Pow(correlation, Math.Abs(i - j)));

    /// <summary>X Xᵀ / columns of Gaussian X.</summary>
    public static double[] Sample(int n, int columns, ulong seed = 1)
    {
        double[] x = [.. RandomWeights.Gaussian(n * columns, seed).Select(value => (double)value)];
        return Make(n, n, (i, j) => Enumerable.Range(0, columns).Sum(k => x[(i * columns) + k] * x[(j * columns) + k]) / columns);
    }

    public static double[] Make(int rows, int columns, Func<int, int, double> value)
    {
        double[] matrix = new double[rows * columns];
        for (int i = 0; i < matrix.Length; i++)
        {
            matrix[i] = value(i / columns, i % columns);
        }

        return matrix;
    }

    public static double[] Identity(int n) => Make(n, n, (i, j) => i == j ? 1 : 0);

    public static double[] Transpose(double[] matrix, int rows, int columns) => Make(columns, rows, (i, j) => matrix[(j * columns) + i]);

    /// <summary>a [rows, depth] · b [depth, columns].</summary>
    public static double[] Product(double[] a, double[] b, int rows, int depth, int columns)
    {
        double[] product = new double[rows * columns];
        for (int i = 0; i < rows; i++)
        {
            for (int k = 0; k < depth; k++)
            {
                for (int j = 0; j < columns; j++)
                {
                    product[(i * columns) + j] += a[(i * depth) + k] * b[(k * columns) + j];
                }
            }
        }

        return product;
    }

    public static double Trace(double[] matrix, int n) => Enumerable.Range(0, n).Sum(i => matrix[(i * n) + i]);

    public static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"element {i}: {actual[i]:R}, expected {expected[i]:R}");
        }
    }
}
