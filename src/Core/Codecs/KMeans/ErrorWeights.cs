namespace Compress.Core.Codecs.KMeans;

/// <summary>What the squared errors of a row's weights are multiplied by. One percent of the mean is added, so that no weight counts nothing.</summary>
internal sealed class ErrorWeights
{
    private const double Damping = 0.01;

    private readonly double[]? gradients; // as the weights are stored
    private readonly double[]? diagonal;  // of the inputs' second moments
    private readonly bool transposed;
    private readonly double damping;
    private readonly double[] row;

    /// <param name="weighting">What is asked for.</param>
    /// <param name="statistics">Null for tensors that are multiplied with nothing: all errors count alike.</param>
    /// <param name="columns">Of a row.</param>
    public ErrorWeights(Weighting weighting, LayerStatistics? statistics, int columns)
    {
        row = new double[columns];
        Array.Fill(row, 1);
        transposed = statistics?.Transposed ?? false;
        gradients = weighting == Weighting.Gradients ? statistics?.SquaredGradients : null;
        if (weighting == Weighting.Inputs && statistics?.InputSecondMoments is { } moments)
        {
            int inputs = (int)Math.Sqrt(moments.Length);
            diagonal = [.. Enumerable.Range(0, inputs).Select(input => moments[((long)input * inputs) + input])];
        }

        damping = Damping * Mean(gradients ?? diagonal ?? []);
        if (damping == 0)
        {
            (gradients, diagonal) = (null, null);
        }
    }

    /// <summary>One for each column; valid until the next call.</summary>
    /// <param name="index">The row.</param>
    public ReadOnlySpan<double> OfRow(int index)
    {
        if (diagonal is not null && transposed)
        {
            Array.Fill(row, diagonal[index] + damping);
        }
        else if ((diagonal ?? gradients) is { } weights)
        {
            int start = diagonal is null ? checked(index * row.Length) : 0;
            for (int column = 0; column < row.Length; column++)
            {
                row[column] = weights[start + column] + damping;
            }
        }

        return row;
    }

    private static double Mean(double[] values)
    {
        double sum = 0;
        foreach (double value in values)
        {
            sum += value;
        }

        return values.Length == 0 ? 0 : sum / values.Length;
    }
}
