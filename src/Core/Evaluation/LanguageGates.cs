using System.Globalization;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Evaluation;

/// <summary>The gates <c>perplexity</c> and <c>kl</c>: what packing does to the predictions of a language model on held-out text.</summary>
/// <param name="recipe">The recipe.</param>
/// <param name="source">The source model.</param>
/// <param name="cache">Where results are kept, or null.</param>
internal sealed class LanguageGates(Recipe recipe, ModelFile source, EvaluationCache? cache)
{
    private const int LayersNamed = 3;
    private const int LayersTried = 12;

    private readonly MeasuredLimit? perplexity = recipe.Gate?.Perplexity;
    private readonly MeasuredLimit? kl = recipe.Gate?.Kl;

    /// <summary>What was measured, a result for each text and its settings.</summary>
    public IReadOnlyList<EvaluationResult> Results { get; private set; } = [];

    /// <summary>The absolute paths of the files that were read besides model and recipe.</summary>
    public IReadOnlyList<string> Files { get; private set; } = [];

    /// <summary>True if there is something to measure.</summary>
    public bool Any => perplexity is not null || kl is not null;

    /// <summary>Measures, and says what goes beyond its limit.</summary>
    /// <param name="packedPath">The packed model.</param>
    /// <param name="layers">Its compressed layers, those with the greatest errors first.</param>
    /// <param name="diagnostics">Receives what goes beyond as a warning, if the recipe says so.</param>
    /// <param name="progress">Told after each window.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="CompressException">A limit is exceeded, or a text does not fit the model.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Check(
        string packedPath,
        IEnumerable<string> layers,
        DiagnosticBag diagnostics,
        IProgress<EvaluationProgress>? progress,
        CancellationToken cancellationToken)
    {
        using var evaluation = new ModelEvaluation(source, cache);
        var results = new List<EvaluationResult>();
        var found = new List<Diagnostic>();
        foreach (var group in new[] { perplexity, kl }.OfType<MeasuredLimit>().GroupBy(limit => limit.On with { Position = default }))
        {
            var settings = group.First().On;
            var result = AtItsPlace(settings, () => evaluation.Run(settings, packedPath, group.Contains(kl), progress, cancellationToken));
            results.Add(result);
            foreach (var limit in group)
            {
                if (Beyond(limit, result) is { } what)
                {
                    var worst = evaluation.Costs(settings, packedPath, layers.Take(LayersTried), cancellationToken).Take(LayersNamed)
                        .Select(cost => string.Create(CultureInfo.InvariantCulture, $"{cost.Name} (KL {cost.Kl:0.00000} alone)"));
                    found.Add(new Diagnostic(
                        Codes.GateFailed, recipe.Gate!.Severity, $"{what}; give more bits to the layers that cost most: {string.Join(", ", worst)}",
                        recipe.File, limit.Limit.Position.Line, limit.Limit.Position.Column));
                }
            }
        }

        Results = results;
        Files = [.. results.SelectMany(result => evaluation.Read(result.Settings).Files).Append(Path.Combine(evaluation.Folder, "config.json")).Distinct()];
        bool fails = found.Count > 0 && recipe.Gate!.Severity == Severity.Error;
        foreach (var diagnostic in fails ? found.SkipLast(1) : found)
        {
            diagnostics.Add(diagnostic);
        }

        if (fails)
        {
            throw new CompressException(found[^1]);
        }
    }

    private string? Beyond(MeasuredLimit limit, EvaluationResult result)
    {
        if (ReferenceEquals(limit, kl))
        {
            return result.Kl <= limit.Limit.Value
                ? null
                : string.Create(CultureInfo.InvariantCulture,
                    $"the mean KL divergence from the source is {result.Kl:0.00000} nats per token, the gate allows {limit.Limit.Value:0.00000}");
        }

        (double before, double after) = (result.Source.Perplexity, result.Packed!.Value.Perplexity);
        double increase = (after / before) - 1;
        return increase <= limit.Limit.Value
            ? null
            : string.Create(CultureInfo.InvariantCulture,
                $"the perplexity rises by {100 * increase:0.00} % (from {before:0.0000} to {after:0.0000}), the gate allows {100 * limit.Limit.Value:0.00} %");
    }

    // A text that does not fit is the recipe's mistake, where the recipe names it.
    private T AtItsPlace<T>(EvaluationSettings settings, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (CompressException exception) when (exception.Diagnostic.File == settings.Text)
        {
            throw new CompressException(exception.Diagnostic.At(recipe.File, settings.Position.Line, settings.Position.Column), exception);
        }
    }
}
