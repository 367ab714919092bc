using Compress.Core.Codecs;

namespace Compress.Core.Calibration;

/// <summary>What a method must know of a layer.</summary>
/// <param name="Tensor">The layer's weights.</param>
/// <param name="Kinds">Of which kinds.</param>
internal readonly record struct StatisticNeed(string Tensor, StatisticKinds Kinds);

/// <summary>Where the statistics of a model's layers come from.</summary>
internal interface IStatisticsSource : IDisposable
{
    /// <summary>The absolute paths of the files read besides model and recipe.</summary>
    IReadOnlyList<string> Files { get; }

    /// <summary>Says what will be wrong with the statistics of these layers, before any is computed.</summary>
    /// <exception cref="Diagnostics.CompressException">They cannot be had.</exception>
    void Check(IReadOnlyCollection<StatisticNeed> needs);

    /// <summary>
    /// What the statistics of a layer follow from, in words <c>name=value</c>, for its key: the same words mean the same statistics. Empty for
    /// tensors that have none, since the model multiplies with them nothing. Computes none.
    /// </summary>
    string Describe(StatisticNeed need);

    /// <summary>Computes what is needed and not there yet, all at once.</summary>
    /// <param name="needs">For the layers that will be encoded.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    void Prepare(IReadOnlyCollection<StatisticNeed> needs, IProgress<CalibrationProgress>? progress, CancellationToken cancellationToken);

    /// <summary>The statistics of a layer; null where <see cref="Describe"/> gives nothing. Safe for several threads.</summary>
    LayerStatistics? Read(StatisticNeed need, CancellationToken cancellationToken);

    /// <summary>Says what was wrong with the statistics that were computed or read.</summary>
    void Report();
}
