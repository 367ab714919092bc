namespace Compress.Core.Codecs.Cvxq;

/// <summary>Where the squared gradients G² of weights come from.</summary>
internal enum Sensitivity
{
    /// <summary>All weights count alike.</summary>
    None,

    /// <summary>Second moments of the inputs: forward passes only.</summary>
    Inputs,

    /// <summary>Second moments of the inputs times mean squared gradients of the outputs.</summary>
    Factored,

    /// <summary>Squared gradients of the cross-entropy.</summary>
    Gradients,

    /// <summary>Squared gradients of principal components of the final hidden state: the paper's.</summary>
    Hidden,
}

/// <summary>
/// The mean of G² over a part of a row. In a head of its own all outputs count as they do on average: a token that the calibration text hardly expects has hardly a gradient, and a row
/// without bits would give it a logit of 0, and so a probability far from small, which no error of second order tells.
/// </summary>
internal sealed class SensitivityMap(Sensitivity kind, LayerStatistics? statistics, int rows, int columns)
{
    private readonly bool transposed = statistics?.Transposed ?? false;
    private readonly double[]? gradients = kind switch
    {
        Sensitivity.Gradients => statistics is { IsOwnHead: true, SquaredGradients: { } all } ? OfAverageRow(all, rows, columns) : statistics?.SquaredGradients,
        Sensitivity.Hidden => statistics?.HiddenGradients,
        _ => null,
    };
    private readonly double[]? moments = kind is Sensitivity.Inputs or Sensitivity.Factored ? statistics?.InputSecondMoments : null;
    private readonly double[]? outputs = kind != Sensitivity.Factored ? null
        : statistics is { IsOwnHead: true, OutputGradients: { } all } ? OfAverageRow(all, all.Length, 1) : statistics?.OutputGradients;

    /// <summary>True if gradients are known, of outputs or of weights.</summary>
    public bool IsKnown => gradients is not null || outputs is not null;

    /// <summary>What the statistics must hold.</summary>
    public static StatisticKinds Needs(Sensitivity kind) => kind switch
    {
        Sensitivity.Inputs => StatisticKinds.InputSecondMoments,
        Sensitivity.Factored => StatisticKinds.InputSecondMoments | StatisticKinds.OutputGradients,
        Sensitivity.Gradients => StatisticKinds.SquaredGradients,
        Sensitivity.Hidden => StatisticKinds.HiddenGradients,
        _ => StatisticKinds.None,
    };

    /// <summary>The mean of G² over <paramref name="length"/> columns of a row, 1 where nothing is known.</summary>
    public double Mean(int row, int first, int length)
    {
        double sum = 0;
        for (int column = first; column < first + length; column++)
        {
            sum += gradients is not null ? gradients[((long)row * columns) + column] : Factor(row, column);
        }

        return sum / length;
    }

    // Heads are stored as [out, in].
    private static double[] OfAverageRow(double[] all, int rows, int columns)
    {
        double[] average = new double[all.LongLength];
        for (int column = 0; column < columns; column++)
        {
            double sum = 0;
            for (int row = 0; row < rows; row++)
            {
                sum += all[((long)row * columns) + column];
            }

            for (int row = 0; row < rows; row++)
            {
                average[((long)row * columns) + column] = sum / rows;
            }
        }

        return average;
    }

    private double Factor(int row, int column)
    {
        (int input, int output, int inputs) = transposed ? (row, column, rows) : (column, row, columns);
        return (moments is null ? 1 : moments[((long)input * inputs) + input]) * (outputs is null ? 1 : outputs[output]);
    }
}
