namespace Compress.Core.Codecs.Crvq;

/// <summary>Which input channels matter most for what one codebook leaves: CRVQ's importance (Xu et al., arXiv 2412.09282, section 3.2).</summary>
internal static class CriticalChannels
{
    /// <summary>What errors in each channel cost: <c>Σ_r weight_r · error_rj² · moment_j</c>.</summary>
    /// <param name="code">Encoded with one codebook, columns in their own order.</param>
    /// <param name="columns">Channels; the code may be filled up.</param>
    /// <param name="moments">Second moments of the inputs, <c>[columns, columns]</c>; null if all are alike.</param>
    public static double[] Importance(AdditiveCode code, int columns, double[]? moments)
    {
        double[] importance = new double[columns];
        for (int row = 0; row < code.Rows; row++)
        {
            var errors = code.Errors.AsSpan(row * code.Columns, columns);
            for (int j = 0; j < columns; j++)
            {
                importance[j] += code.Weights[row] * errors[j] * errors[j];
            }
        }

        for (int j = 0; j < columns && moments is not null; j++)
        {
            importance[j] *= moments[((long)j * columns) + j];
        }

        return importance;
    }

    /// <summary>The most important channels, the most important first; the rest from the first to the last.</summary>
    /// <param name="importance">Of each channel.</param>
    /// <param name="count">How many are critical.</param>
    public static int[] Order(double[] importance, int count)
    {
        int[] critical = [.. Enumerable.Range(0, importance.Length).OrderByDescending(j => importance[j]).ThenBy(j => j).Take(count)];
        return [.. critical, .. Enumerable.Range(0, importance.Length).Except(critical)];
    }
}
