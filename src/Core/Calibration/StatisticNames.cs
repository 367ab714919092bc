using Compress.Core.Codecs;

namespace Compress.Core.Calibration;

/// <summary>What the kinds of statistics are called in files, keys and messages.</summary>
public static class StatisticNames
{
    /// <summary>Every kind that can be had, and its name.</summary>
    public static readonly IReadOnlyList<(StatisticKinds Kind, string Name)> All =
    [
        (StatisticKinds.InputSecondMoments, "inputSecondMoments"),
        (StatisticKinds.InputMeans, "inputMeans"),
        (StatisticKinds.OutputCovariance, "outputCovariance"),
        (StatisticKinds.SquaredGradients, "squaredGradients"),
        (StatisticKinds.HiddenGradients, "hiddenGradients"),
        (StatisticKinds.OutputGradients, "outputGradients"),
    ];

    /// <summary>What is of a layer's input, which several layers may have in common.</summary>
    public const StatisticKinds OfInputs = StatisticKinds.InputSecondMoments | StatisticKinds.InputMeans;

    /// <summary>What takes backward passes.</summary>
    public const StatisticKinds OfGradients = StatisticKinds.SquaredGradients | StatisticKinds.HiddenGradients | StatisticKinds.OutputGradients;

    /// <summary>All of <see cref="All"/>.</summary>
    public static StatisticKinds AllKinds { get; } = All.Aggregate(StatisticKinds.None, (kinds, row) => kinds | row.Kind);

    /// <summary>The names of several kinds.</summary>
    public static IEnumerable<(StatisticKinds Kind, string Name)> Of(StatisticKinds kinds) => All.Where(row => kinds.HasFlag(row.Kind));

    /// <summary>The shape of a statistic of a layer whose weights are stored as [rows, columns].</summary>
    public static long[] Shape(StatisticKinds kind, int rows, int columns, bool transposed)
    {
        (long inputs, long outputs) = transposed ? (rows, columns) : (columns, rows);
        return kind switch
        {
            StatisticKinds.InputSecondMoments => [inputs, inputs],
            StatisticKinds.InputMeans => [inputs],
            StatisticKinds.OutputCovariance => [outputs, outputs],
            StatisticKinds.OutputGradients => [outputs],
            _ => [rows, columns],
        };
    }

    /// <summary>The names in a sentence or a key.</summary>
    public static string Text(StatisticKinds kinds, string separator) => string.Join(separator, Of(kinds).Select(row => row.Name));
}
