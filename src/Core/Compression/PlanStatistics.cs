using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>Finds out which statistics the methods of a plan need, and where the recipe says that they come from.</summary>
internal static class PlanStatistics
{
    /// <summary>Where the plan's layers get statistics from. Null if none needs any, or if there were errors.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="plan">What happens to each tensor.</param>
    /// <param name="model">The model; must stay open.</param>
    /// <param name="store">Where statistics are kept; null where only keys are asked for.</param>
    /// <param name="diagnostics">Receives what is wrong.</param>
    /// <exception cref="CompressException">The statistics cannot be had.</exception>
    public static IStatisticsSource? Open(Recipe recipe, IReadOnlyList<LayerPlan> plan, ModelFile model, LayerStore? store, DiagnosticBag diagnostics)
    {
        var needs = Needs(plan, _ => true);
        if (needs.Count == 0)
        {
            if (recipe.Calibration is { } unused && recipe.Budget is not { Sensitivity.OnText: not false } && recipe.Recovery is null)
            {
                diagnostics.Add(new(
                    Codes.CalibrationUnused, Severity.Message, "nothing is calibrated: no method in use needs statistics of layers",
                    recipe.File, unused.Position.Line, unused.Position.Column));
            }

            return null;
        }

        if (recipe.Calibration is null)
        {
            AddMissing(recipe, plan, diagnostics);
            return null;
        }

        IStatisticsSource source = recipe.Calibration switch
        {
            StatisticsOrigin.FromText text => new TextStatistics(model, text.Settings, recipe.File, store, diagnostics),
            StatisticsOrigin.FromFile file => new FileStatistics(model, file.Path, recipe.File, file.Position, diagnostics),
            _ => throw new InvalidOperationException(),
        };
        try
        {
            source.Check(needs);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>What is needed of the layers that a method compresses.</summary>
    /// <param name="plan">What happens to each tensor.</param>
    /// <param name="of">Of which layers.</param>
    public static List<StatisticNeed> Needs(IReadOnlyList<LayerPlan> plan, Func<CompressedLayer, bool> of) =>
        [.. Compressed(plan).Where(of).Select(layer => new StatisticNeed(layer.Tensor.Name, layer.Compress.Encoder.Needs))];

    private static IEnumerable<CompressedLayer> Compressed(IReadOnlyList<LayerPlan> plan) => plan
        .Where(layer => layer.Treatment is Treatment.Compress compress && compress.Encoder.Needs != StatisticKinds.None)
        .Select(layer => new CompressedLayer(layer.Tensor, (Treatment.Compress)layer.Treatment));

    private static void AddMissing(Recipe recipe, IReadOnlyList<LayerPlan> plan, DiagnosticBag diagnostics)
    {
        foreach (var compress in Compressed(plan).Select(layer => layer.Compress).DistinctBy(compress => compress.Position).OrderBy(compress => compress.Position.Line))
        {
            diagnostics.Add(new(
                Codes.CalibrationMissing,
                Severity.Error,
                $"method {compress.Codec.Name} ({compress.Encoder.Settings}) needs {StatisticNames.Text(compress.Encoder.Needs, " and ")} of each layer, and the recipe has no "
                + "'calibration'; add 'calibration: { text: FILE }' with a text of the kind that the model is for, or 'calibration: { statistics: FILE }'",
                recipe.File, compress.Position.Line, compress.Position.Column));
        }
    }
}

/// <summary>A tensor that a method compresses.</summary>
internal sealed record CompressedLayer(Models.Formats.ModelTensor Tensor, Treatment.Compress Compress);
