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
    ];

    /// <summary>All of <see cref="All"/>.</summary>
    public static StatisticKinds AllKinds { get; } = All.Aggregate(StatisticKinds.None, (kinds, row) => kinds | row.Kind);

    /// <summary>The names of several kinds.</summary>
    /// <exception cref="NotSupportedException">One of them cannot be had: a method is at fault.</exception>
    public static IEnumerable<(StatisticKinds Kind, string Name)> Of(StatisticKinds kinds) => (kinds & ~AllKinds) == StatisticKinds.None
        ? All.Where(row => kinds.HasFlag(row.Kind))
        : throw new NotSupportedException($"nothing computes {kinds & ~AllKinds}");

    /// <summary>The names in a sentence or a key.</summary>
    public static string Text(StatisticKinds kinds, string separator) => string.Join(separator, Of(kinds).Select(row => row.Name));
}
