using Compress.Core.Allocation;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>What errors of layers cost, and how that was found.</summary>
/// <param name="Metric"><c>kl</c>, <c>perplexity</c>, <c>outputs</c> or <c>weights</c>: see <see cref="AllocationReport.Metric"/>.</param>
/// <param name="Probe"><c>grid</c> or <c>noise</c>; null if nothing was probed.</param>
/// <param name="Tokens"><c>random</c> or <c>calibration</c>; null if nothing was probed.</param>
/// <param name="Costs">Of each layer, in the metric.</param>
/// <param name="Kl">Of each layer, as divergence in nats per token; null if nothing was probed.</param>
/// <param name="LnPerplexity">Of each layer, as increase of ln perplexity; null if no text was used.</param>
/// <param name="Probed">The tokens that each layer's probes were measured on, the fewest of any.</param>
/// <param name="Files">The absolute paths of the files read.</param>
/// <param name="Joint">Measures whole choices; null if the model cannot be run.</param>
internal sealed record CostTable(
    string Metric,
    string? Probe,
    string? Tokens,
    IReadOnlyList<LayerCost> Costs,
    IReadOnlyList<LayerCost>? Kl,
    IReadOnlyList<LayerCost>? LnPerplexity,
    IReadOnlyList<long> Probed,
    IReadOnlyList<string> Files,
    JointRun? Joint);

/// <summary>Finds what errors of layers cost: by running the model if it can be run; else from statistics of inputs, or from the weights alone.</summary>
internal sealed class LayerCosts(ModelFile source, Recipe recipe, EvaluationCache? cache, DiagnosticBag diagnostics)
{
    private static readonly double[] NoiseSizes = [0.003, 0.006, 0.012, 0.024];

    private readonly SensitivitySettings settings = recipe.Budget!.Sensitivity;
    private readonly Lazy<LanguageModel?> language = new(() => Open(source, recipe));

    /// <summary>True if there is a language model that can be run.</summary>
    /// <exception cref="CompressException">There is none, and the recipe asks for it.</exception>
    public bool RunsModel => language.Value is not null;

    /// <summary>Finds the costs.</summary>
    /// <param name="layers">The layers, with their forms.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="CompressException">The recipe asks for what cannot be measured.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public CostTable Measure(IReadOnlyList<LayerForms> layers, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        if (language.Value is { } model)
        {
            return Probe(layers, model, progress, cancellationToken);
        }

        if (recipe.Calibration is StatisticsOrigin.FromFile file)
        {
            using var statistics = new FileStatistics(source, file.Path, recipe.File, file.Position, diagnostics);
            var needs = layers.Select(layer => new StatisticNeed(layer.Tensor.Name, StatisticKinds.InputSecondMoments)).ToList();
            statistics.Check(needs);
            return Unprobed("outputs", [.. layers.Zip(needs, (layer, need) => OutputCost(layer, statistics.Read(need, cancellationToken)))], statistics.Files);
        }

        return Unprobed("weights", [.. layers.Select(layer => LayerCost.InProportion(layer.WeightEnergy, layer))], []);
    }

    // α is E ‖dW x‖² for errors that are alike in all directions: t² ‖W‖² tr E[x xᵀ] / inputs. Of an embedding one row is looked up at a time.
    private static LayerCost OutputCost(LayerForms layer, LayerStatistics? statistics)
    {
        if (statistics is null)
        {
            return LayerCost.InProportion(layer.WeightEnergy / layer.Tensor.Rows, layer);
        }

        int inputs = statistics.Transposed ? layer.Tensor.Rows : layer.Tensor.Columns;
        double trace = 0;
        for (int i = 0; i < inputs; i++)
        {
            trace += statistics.InputSecondMoments![((long)i * inputs) + i];
        }

        var alpha = new Sensitivity(layer.WeightEnergy * trace / inputs, 0, false);
        return new(alpha, [.. layer.Forms.Select(form => form.RelativeMse == 0 ? 0 : OutputError.Of(layer.Tensor, form.Open(), statistics.InputSecondMoments!, statistics.Transposed))]);
    }

    private static CostTable Unprobed(string metric, IReadOnlyList<LayerCost> costs, IReadOnlyList<string> files) =>
        new(metric, null, null, costs, null, null, [.. costs.Select(_ => 0L)], files, null);

    // Null if there is no language model that we can run, and the recipe does not ask for probes.
    private static LanguageModel? Open(ModelFile source, Recipe recipe)
    {
        try
        {
            return LanguageModel.Open(source);
        }
        catch (CompressException exception) when (exception.Diagnostic.Code != Codes.ModelChanged)
        {
            if (recipe.Budget!.Sensitivity.Position is not { } position)
            {
                return null;
            }

            throw new CompressException(exception.Diagnostic with
            {
                File = recipe.File, Line = position.Line, Column = position.Column,
                Message = $"sensitivities cannot be measured by running the model: {exception.Diagnostic.Message}; without 'sensitivity', errors of weights are counted instead",
            }, exception);
        }
    }

    private CostTable Probe(IReadOnlyList<LayerForms> layers, LanguageModel model, IProgress<EvaluationProgress>? progress, CancellationToken cancellationToken)
    {
        var text = Text(model);
        var names = model.TensorNames.ToHashSet(StringComparer.Ordinal);
        var probes = layers.Where(layer => names.Contains(layer.Tensor.Name)).SelectMany(Probes).ToList();
        var costs = new ProbeRun(source, model, text, settings, cache).Measure(probes, progress, cancellationToken);
        var ofTensors = probes.Zip(costs).ToLookup(pair => pair.First.Tensor, StringComparer.Ordinal);
        var measured = layers.Select(layer => ofTensors[layer.Tensor.Name].ToList()).ToList();
        var kl = Costs(cost => (cost.RelativeMse, cost.Kl, cost.KlError));
        var perplexity = text.IsText ? Costs(cost => (cost.RelativeMse, cost.LnPerplexity, cost.LnPerplexityError)) : null;
        return new(
            settings.Metric == SensitivityMetric.Kl ? "kl" : "perplexity",
            settings.Probe == ProbeKind.Grid ? "grid" : "noise",
            text.IsText ? "calibration" : "random",
            settings.Metric == SensitivityMetric.Kl ? kl : perplexity!,
            kl,
            perplexity,
            [.. measured.Select(pairs => pairs.Select(pair => pair.Second.Tokens).DefaultIfEmpty().Min())],
            [.. text.Files, Path.Combine(Path.GetDirectoryName(source.Header.Files[0])!, "config.json")],
            new JointRun(source, model, text, cache));

        List<LayerCost> Costs(Func<ProbeCost, (double, double, double)> of) =>
            [.. layers.Zip(measured, (layer, pairs) => LayerCost.Of(layer, pairs.ToDictionary(pair => pair.First.Digest, pair => of(pair.Second))))];
    }

    private IEnumerable<Probe> Probes(LayerForms layer) => settings.Probe == ProbeKind.Grid
        ? LayerCost.Probed(layer).Select(form => new GridProbe(layer.Tensor, form.RelativeMse, form.Digest, form.Open))
        : NoiseSizes.Select((size, seed) => new NoiseProbe(layer.Tensor, size, (ulong)seed));

    private ProbeText Text(LanguageModel model)
    {
        if (recipe.Calibration is not StatisticsOrigin.FromText calibration || settings.OnText == false)
        {
            return ProbeText.Random(model, settings.Tokens);
        }

        try
        {
            return ProbeText.Calibration(model, Path.GetDirectoryName(source.Header.Files[0])!, calibration.Settings, settings.Tokens);
        }
        catch (CompressException exception) when (exception.Diagnostic.File == calibration.Settings.Text)
        {
            throw new CompressException(exception.Diagnostic.At(recipe.File, calibration.Position.Line, calibration.Position.Column), exception);
        }
    }
}
