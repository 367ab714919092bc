using Compress.Core.Compression;
using Compress.Core.Evaluation;
using Compress.Core.Models;
using Compress.Core.Recipes.Locating;
using Compress.Runtime;

namespace Compress.Core.Reports.Html;

/// <summary>Brings reports into the form that a page shows.</summary>
public static class PageBuilder
{
    /// <summary>What a build made of a model.</summary>
    /// <param name="report">The report.</param>
    /// <param name="packedPath">The packed model.</param>
    public static PageModel Model(CompressionReport report, string packedPath)
    {
        using var source = ModelFile.Open(report.Model, report.StateDict);
        var gate = report.Evaluations.Count > 0 ? report.Evaluations[0] : null;
        return new(
            RecipeLocator.ModelName(report.Model),
            report.SourceBytes,
            gate?.SourcePerplexity,
            gate is null ? null : Evaluation(gate),
            [Recipe("this build", report, source, packedPath, null)]);
    }

    /// <summary>What a recipe made of a model, with histograms of its layers.</summary>
    /// <param name="name">What the recipe is called.</param>
    /// <param name="report">The report.</param>
    /// <param name="source">The source model.</param>
    /// <param name="packedPath">The packed model.</param>
    /// <param name="result">What was measured, or null for what the report has of its gates.</param>
    public static PageRecipe Recipe(string name, CompressionReport report, ModelFile source, string packedPath, EvaluationResult? result)
    {
        using var packed = PackedModel.OpenFile(packedPath);
        var gate = report.Evaluations.Count > 0 ? report.Evaluations[0] : null;
        return new(
            name,
            report.PackedBytes,
            report.BitsPerWeight,
            Math.Sqrt(report.RelativeMse),
            result?.Packed?.Perplexity ?? gate?.Perplexity,
            result is null ? gate?.Kl : result.Kl,
            report.Milliseconds,
            report.CacheHits,
            report.CacheMisses,
            [.. report.Layers.Select(layer => Layer(layer, source, packed))])
        {
            Allocation = report.Allocation,
        };
    }

    /// <summary>On what something was measured; null if nothing was.</summary>
    public static PageEvaluation? Evaluation(EvaluationResult? result) => result is null ? null : Evaluation(EvaluationReport.Of(result));

    /// <summary>On what something was measured.</summary>
    public static PageEvaluation Evaluation(EvaluationReport report) =>
        new(Path.GetFileName(report.Text), report.Tokens, report.Unit, report.Window, report.Stride, report.Limit, report.Bos is not null);

    private static PageLayer Layer(LayerReport layer, ModelFile source, PackedModel packed)
    {
        Histogram? weights = null, errors = null;
        if (layer.Cache != "kept")
        {
            var tensor = source[layer.Name];
            (weights, errors) = Histogram.Of(tensor, packed[layer.Name]);
            tensor.ReleasePages();
        }

        return new(
            layer.Name, layer.Shape, layer.Codec, layer.BitsPerWeight, Math.Sqrt(layer.RelativeMse), layer.Bytes, layer.Cache, layer.Milliseconds, weights, errors);
    }
}
