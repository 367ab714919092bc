using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Evaluation;
using Compress.Core.Recovery;

namespace Compress.Core.Compression;

/// <summary>One model to compress. All paths are absolute.</summary>
/// <param name="ModelPath">The source model: a file or a folder.</param>
/// <param name="RecipePath">The recipe, or null to look it up beside the model.</param>
/// <param name="OutputPath">The packed model to write.</param>
public sealed record CompressionRequest(string ModelPath, string? RecipePath, string OutputPath)
{
    /// <summary>The layer cache, or null for none. Models that are compressed one after the other should share one object.</summary>
    public LayerCache? Cache { get; init; }

    /// <summary>How many layers are encoded at once; 0 for one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>Encodes every layer anew, whatever the cache holds, and replaces what it holds.</summary>
    public bool Force { get; init; }

    /// <summary>Takes what goes beyond a gate as a warning, whatever the recipe says: for those who want to see all figures.</summary>
    public bool GatesOnlyWarn { get; init; }
}

/// <summary>How far a compression has come.</summary>
/// <param name="LayersDone">Tensors that are done.</param>
/// <param name="LayersTotal">Tensors in the model.</param>
/// <param name="WeightsDone">Elements in those that are done, and of others a part.</param>
/// <param name="WeightsTotal">Elements in the model.</param>
/// <param name="CacheHits">Tensors taken from the cache so far.</param>
/// <param name="Waiting">True if nothing is left but tensors that another process is encoding.</param>
/// <param name="Calibration">While statistics of layers are computed: how far that is.</param>
/// <param name="Recovery">While what is continuous is trained: how far that is.</param>
/// <param name="Evaluation">While the packed model is measured for a gate: how far that is.</param>
public sealed record CompressionProgress(
    int LayersDone,
    int LayersTotal,
    long WeightsDone,
    long WeightsTotal,
    int CacheHits,
    bool Waiting = false,
    CalibrationProgress? Calibration = null,
    EvaluationProgress? Evaluation = null,
    RecoveryProgress? Recovery = null)
{
    /// <summary>True if nothing but a part of a layer was done since the last report: <see cref="WeightsDone"/> counts such parts where encoders tell of them.</summary>
    public bool WithinLayer { get; init; }
}

/// <summary>Tells of a recovery as a part of a compression.</summary>
internal sealed class RecoveryPart(IProgress<CompressionProgress> progress, CompressionProgress done) : IProgress<RecoveryProgress>
{
    /// <inheritdoc/>
    public void Report(RecoveryProgress value) => progress.Report(done with { Recovery = value });
}

/// <summary>Tells of an evaluation as a part of a compression.</summary>
internal sealed class EvaluationPart(IProgress<CompressionProgress> progress, CompressionProgress done) : IProgress<EvaluationProgress>
{
    /// <inheritdoc/>
    public void Report(EvaluationProgress value) => progress.Report(done with { Evaluation = value });
}

/// <summary>Tells of a calibration as a part of a compression.</summary>
internal sealed class CalibrationPart(IProgress<CompressionProgress> progress, CompressionProgress before) : IProgress<CalibrationProgress>
{
    /// <inheritdoc/>
    public void Report(CalibrationProgress value) => progress.Report(before with { Calibration = value });
}
