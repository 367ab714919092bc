using System.Text.Json.Serialization;
using Compress.Core.Caching;
using Compress.Core.Evaluation;

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

    /// <summary>All tensors, by name.</summary>
    public required IReadOnlyList<LayerReport> Layers { get; init; }

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
/// In what the cost of errors was measured: <c>kl</c>, the divergence of the model's predictions on random tokens in nats per token; or <c>weights</c>, the
/// squared error of the weights, for models that cannot be run.
/// </param>
/// <param name="Predicted">What all errors together cost, by the linearity theorem: Σ α t².</param>
/// <param name="Layers">The layers that it was spread over.</param>
public sealed record AllocationReport(string Budget, string Metric, double Predicted, IReadOnlyList<LayerAllocation> Layers);

/// <summary>One layer in an <see cref="AllocationReport"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Alpha">Its sensitivity α: what a relative error t² of 1 would cost if costs grew so far in proportion.</param>
/// <param name="StandardError">Of α.</param>
/// <param name="RelativeMse">Its t² in the form chosen.</param>
public sealed record LayerAllocation(string Name, double Alpha, double StandardError, double RelativeMse);

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
    LayerKey Key);
