using System.Text.Json.Serialization;
using Compress.Core.Caching;
using Compress.Core.Evaluation;
using Compress.Core.Recipes.Locating;
using Compress.Core.Recovery;

namespace Compress.Core.Compression;

/// <summary>What a compression did. Serialized as the JSON report.</summary>
public sealed record CompressionReport
{
    /// <summary>The absolute path of the source model.</summary>
    public required string Model { get; init; }

    /// <summary>Bytes of all tensors in the source, without headers.</summary>
    public required long SourceBytes { get; init; }

    /// <summary>Bytes of the packed file, header included.</summary>
    public required long PackedBytes { get; init; }

    /// <summary>Bytes that the tensors take in an application's memory: more than in the file where codes are entropy-coded.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>All bits stored for the compressed layers, shared tables included, over their number of weights; 0 if none is compressed.</summary>
    public required double BitsPerWeight { get; init; }

    /// <summary>Σ(w − ŵ)² / Σw² over all compressed layers.</summary>
    public required double RelativeMse { get; init; }

    /// <summary>Layers taken from the cache.</summary>
    public required int CacheHits { get; init; }

    /// <summary>Layers encoded.</summary>
    public required int CacheMisses { get; init; }

    /// <summary>The salt of the cache: another one finds no entries.</summary>
    public required string CacheSalt { get; init; }

    /// <summary>Wall time of the whole.</summary>
    public required long Milliseconds { get; init; }

    /// <summary>What the language model was measured to do, for each text that the recipe's gate names.</summary>
    public required IReadOnlyList<EvaluationReport> Evaluations { get; init; }

    /// <summary>How a budget was spread over the layers; null if the recipe has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AllocationReport? Allocation { get; init; }

    /// <summary>What came of taking gradients again at the quantized weights; null if the recipe asks for one round.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public GradientRoundsReport? Rounds { get; init; }

    /// <summary>What training after the compression did; null if the recipe asks for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RecoveryReport? Recovery { get; init; }

    /// <summary>All tensors, by name.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

    /// <summary>Which dictionary of a checkpoint is the model; null if the recipe names none.</summary>
    [JsonIgnore]
    public NamedStateDict? StateDict { get; init; }

    /// <summary>The absolute paths of all files read: the model's, and the recipe if there is one.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>True if the packed file was already what it should be, and was not written.</summary>
    [JsonIgnore]
    public bool Unchanged { get; init; }
}

/// <summary>One evaluation in a <see cref="CompressionReport"/>, with every setting that it depends on.</summary>
/// <param name="Text">The absolute path of the text.</param>
/// <param name="Unit"><c>document</c> or <c>paragraph</c>.</param>
/// <param name="Window">Tokens of a window.</param>
/// <param name="Stride">From one window to the next; null if they do not overlap.</param>
/// <param name="Limit">How many windows, or paragraphs, are used; null for all.</param>
/// <param name="Bos">The token that each window begins with, or null.</param>
/// <param name="Tokens">Predictions counted.</param>
/// <param name="SourcePerplexity">Of the source model.</param>
/// <param name="Perplexity">Of the packed model, computed from its packed weights.</param>
/// <param name="Kl">The mean divergence of the packed model's predictions from the source's, in nats per token; null if not measured.</param>
public sealed record EvaluationReport(
    string Text, string Unit, int Window, int? Stride, int? Limit, int? Bos, long Tokens, double SourcePerplexity, double Perplexity, double? Kl)
{
    /// <summary>The report of a result.</summary>
    public static EvaluationReport Of(EvaluationResult result) => new(
        result.Settings.Text,
        result.Settings.Unit == TextUnit.Paragraph ? "paragraph" : "document",
        result.Window,
        result.Settings.Stride,
        result.Settings.Limit,
        result.Bos,
        result.Source.Tokens,
        result.Source.Perplexity,
        (result.Packed ?? result.Source).Perplexity,
        result.Kl);
}

/// <summary>How a budget was spread.</summary>
/// <param name="Budget">What the recipe allows: <c>3.25 bits per weight</c>, <c>9000000 bytes</c>.</param>
/// <param name="Metric">
/// In what the cost of errors was measured: <c>kl</c>, the divergence of the model's predictions in nats per token; <c>perplexity</c>, the increase of ln perplexity; of models that
/// cannot be run <c>outputs</c>, the squared errors of layers' outputs by statistics of their inputs, or <c>weights</c>, those of weights.
/// </param>
/// <param name="Probe">The errors that layers were given: <c>grid</c> or <c>noise</c>; null for models that cannot be run.</param>
/// <param name="Tokens">What the model was run on: <c>random</c> tokens or the <c>calibration</c> text; null for models that cannot be run.</param>
/// <param name="Predicted">What all errors together cost in the metric: the sum over layers, by the linearity theorem, times <see cref="Interaction"/>.</param>
/// <param name="PredictedKl">The same as divergence on these tokens; null for models that cannot be run.</param>
/// <param name="PredictedLnPerplexity">The same as increase of ln perplexity; null unless a text was used.</param>
/// <param name="Layers">The layers that it was spread over; where the model was run, others with errors too.</param>
public sealed record AllocationReport(
    string Budget, string Metric, string? Probe, string? Tokens, double Predicted, double? PredictedKl, double? PredictedLnPerplexity, IReadOnlyList<LayerAllocation> Layers)
{
    /// <summary>The greatest t² at which costs grow in proportion to it (HIGGS, arXiv 2411.17525: linear up to about here).</summary>
    public const double LargestSmallError = 0.01;

    /// <summary>
    /// By how much the divergence of all errors together, measured on these tokens, is greater than the sum of what each layer's causes alone: where it is far from 1, errors
    /// are too large for the linearity theorem. Null for models that cannot be run.
    /// </summary>
    public double? Interaction { get; init; }

    /// <summary>How many layers have larger errors.</summary>
    public int LayersBeyond => Layers.Count(layer => layer.RelativeMse > LargestSmallError);

    /// <summary>What was measured on the first text of the recipe's gate; null if it has none.</summary>
    public MeasuredIncrease? Measured { get; init; }
}

/// <summary>What was measured in place of an <see cref="AllocationReport"/>'s predictions.</summary>
/// <param name="Text">The absolute path of the text.</param>
/// <param name="LnPerplexity">The increase of ln perplexity.</param>
/// <param name="Kl">The mean divergence of predictions from the source's, in nats per token; null if no gate asks for it.</param>
public sealed record MeasuredIncrease(string Text, double LnPerplexity, double? Kl);

/// <summary>One layer in an <see cref="AllocationReport"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Alpha">Its sensitivity α: what a relative error t² of 1 would cost if costs grew so far in proportion.</param>
/// <param name="StandardError">Of α.</param>
/// <param name="Clamped">True if α was negative, by chance, and counts as 0.</param>
/// <param name="Tokens">The fewest tokens that one of its probes was measured on.</param>
/// <param name="RelativeMse">Its t² in the form chosen.</param>
/// <param name="Predicted">What that costs in the metric: α t², or as measured with this layer alone in this form.</param>
/// <param name="PredictedKl">The same as divergence; null for models that cannot be run.</param>
/// <param name="PredictedLnPerplexity">The same as increase of ln perplexity; null unless a text was used.</param>
public sealed record LayerAllocation(
    string Name, double Alpha, double StandardError, bool Clamped, long Tokens, double RelativeMse, double Predicted, double? PredictedKl, double? PredictedLnPerplexity)
{
    /// <summary>What this layer's error alone was measured to cost on the first text of the recipe's gate; null if it has none.</summary>
    public MeasuredIncrease? Measured { get; init; }
}

/// <summary>One tensor in a <see cref="CompressionReport"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Codec">The codec's name, or <c>keep</c>.</param>
/// <param name="BitsPerWeight">All its stored bits, and its part of shared tables, over its number of elements.</param>
/// <param name="RelativeMse">Σ(w − ŵ)² / Σw².</param>
/// <param name="Bytes">Bytes that it alone takes in the file.</param>
/// <param name="Cache"><c>hit</c>, <c>miss</c>, or <c>kept</c> where no codec was needed.</param>
/// <param name="Milliseconds">Time spent on it: hashing, and encoding if it was not in the cache.</param>
/// <param name="Key">What its bytes follow from, part by part: what differs from the last report is why it was encoded again.</param>
public sealed record LayerReport(
    string Name,
    IReadOnlyList<long> Shape,
    string Codec,
    double BitsPerWeight,
    double RelativeMse,
    long Bytes,
    string Cache,
    double Milliseconds,
    LayerKey Key)
{
    /// <summary>Bytes that it takes in an application's memory: more than <see cref="Bytes"/> if its codes are entropy-coded.</summary>
    public required long MemoryBytes { get; init; }
}
