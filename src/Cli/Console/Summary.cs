using System.Globalization;
using Compress.Core.Compression;

namespace Compress.Cli.Console;

/// <summary>What a compression did, in words.</summary>
internal static class Summary
{
    /// <summary><c>1.04 MB -> 146 kB (7.13x), 4.04 bits per weight, relative error 0.0961</c>.</summary>
    public static string Sizes(CompressionReport report)
    {
        string sizes = $"{Quantity.Bytes(report.SourceBytes)} -> {Quantity.Bytes(report.PackedBytes)} "
            + $"({Quantity.Ratio(report.SourceBytes, report.PackedBytes)})"
            + (report.MemoryBytes > report.PackedBytes ? $", {Quantity.Bytes(report.MemoryBytes)} in memory" : "");
        return report.CacheHits + report.CacheMisses == 0
            ? $"{sizes}, nothing compressed"
            : $"{sizes}, {Quantity.Bits(report.BitsPerWeight)} bits per weight, relative error {Quantity.Error(Math.Sqrt(report.RelativeMse))}";
    }

    /// <summary><c>perplexity 4.385 -&gt; 4.505 (+2.73 %)</c>, for each text that was measured; before them what training did.</summary>
    public static IEnumerable<string> Quality(CompressionReport report) => Rounds(report).Concat(Recovery(report)).Concat(report.Evaluations.Select(Quality));

    private static string Quality(EvaluationReport evaluation)
    {
        double increase = (evaluation.Perplexity / evaluation.SourcePerplexity) - 1;
        string kl = evaluation.Kl is { } value ? string.Create(CultureInfo.InvariantCulture, $", KL {value:0.00000} nats") : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"perplexity {evaluation.SourcePerplexity:0.0000} -> {evaluation.Perplexity:0.0000} ({100 * increase:+0.00;-0.00} %){kl} on {evaluation.Tokens} tokens of {Path.GetFileName(evaluation.Text)}");
    }

    /// <summary><c>gradients: round 3 of 4 is best, held-out KL 0.1234 -&gt; 0.0456</c>; nothing if the recipe asks for one round.</summary>
    private static IEnumerable<string> Rounds(CompressionReport report) => report.Rounds is not { } done ? []
        : [string.Create(CultureInfo.InvariantCulture, $"gradients: round {done.Kept} of {done.HeldOutKl.Count} is best, held-out KL {done.HeldOutKl[0]:0.00000} -> {done.HeldOutKl[done.Kept - 1]:0.00000} nats")];

    /// <summary>
    /// <c>blocks: 5 of 6 nearer to the source's, error 0.1234 -&gt; 0.1000; held-out KL 0.2000 -&gt; 0.1500 nats</c> and <c>recovered: held-out KL 0.1500 -&gt; 0.0456, step 175 of 200</c>;
    /// nothing if the recipe asks for none.
    /// </summary>
    private static IEnumerable<string> Recovery(CompressionReport report)
    {
        if (report.Recovery is not { } done)
        {
            yield break;
        }

        if (done.Blocks is { Count: > 0 } blocks)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"blocks: {blocks.Count(block => block.BestStep > 0)} of {blocks.Count} nearer to the source's, mean error {blocks.Average(block => block.ErrorBefore):0.0000} -> {blocks.Average(block => block.ErrorAfter):0.0000}; held-out KL {done.KlBefore:0.00000} -> {done.KlAfterBlocks:0.00000} nats");
        }

        if (done.MadeNothingBetter)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"recover: {done.Steps} steps made nothing better (held-out KL {done.KlBefore:0.00000} nats); all stays as it was encoded");
        }
        else if (done.Steps > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture,
                $"recovered: held-out KL {done.KlAfterBlocks ?? done.KlBefore:0.00000} -> {done.KlAfter:0.00000} nats, step {done.BestStep} of {done.Steps}");
        }
    }

    /// <summary><c>36 layers: 30 cached, 6 encoded; 11 kept; 1.2 s</c>.</summary>
    public static string Work(CompressionReport report)
    {
        int compressed = report.CacheHits + report.CacheMisses;
        string unchanged = report.Unchanged ? "; the packed file was up to date" : "";
        return $"{compressed} layers: {report.CacheHits} cached, {report.CacheMisses} encoded; {report.Layers.Count - compressed} kept; "
            + $"{Quantity.Duration(report.Milliseconds)}{unchanged}";
    }

    /// <summary>All tensors.</summary>
    public static TextTable Layers(CompressionReport report)
    {
        var table = new TextTable("name", "shape", "codec", ">bits/weight", ">relative MSE", ">bytes", "cache", ">ms");
        foreach (var layer in report.Layers)
        {
            table.Add(layer.Name, Quantity.Shape(layer.Shape), layer.Codec, Quantity.Bits(layer.BitsPerWeight),
                Quantity.Error(layer.RelativeMse), Quantity.Count(layer.Bytes), layer.Cache, Quantity.Count((long)layer.Milliseconds));
        }

        return table;
    }
}
