using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Recipes.Locating;

namespace Compress.Core.Explaining;

/// <summary>What a compression would do to one tensor.</summary>
public enum LayerAction
{
    /// <summary>It is stored without a codec.</summary>
    Keep,

    /// <summary>It is taken from the cache.</summary>
    Reuse,

    /// <summary>It is encoded.</summary>
    Encode,
}

/// <summary>One tensor in a <see cref="Preview"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its dimensions, outermost first.</param>
/// <param name="Codec">The codec's name, or <c>keep</c>.</param>
/// <param name="Settings">The codec's settings, or the type that it is kept in.</param>
/// <param name="Action">What would happen.</param>
/// <param name="Why">Why it would be encoded; null if it would not.</param>
public sealed record LayerPreview(string Name, IReadOnlyList<long> Shape, string Codec, string Settings, LayerAction Action, string? Why);

/// <summary>What a compression would do, found without doing it: it reads the model, and nothing is written.</summary>
/// <param name="Recipe">The absolute path of the recipe, or null for the built-in defaults.</param>
/// <param name="SourceBytes">Bytes of all tensors in the source.</param>
/// <param name="UpToDate">True if the output is there, and made from just this.</param>
/// <param name="Layers">All tensors, by name.</param>
public sealed record Preview(string? Recipe, long SourceBytes, bool UpToDate, IReadOnlyList<LayerPreview> Layers)
{
    /// <summary>Finds out what <see cref="Compressor.Run"/> would do with this request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="last">The last run, or null if none is known.</param>
    /// <param name="diagnostics">Receives what the compression would say before it encodes anything.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Null if there were errors.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Preview? Make(CompressionRequest request, LastRun? last, DiagnosticBag diagnostics, CancellationToken cancellationToken)
    {
        try
        {
            var (origin, recipePath) = RecipeLocator.Find(request.ModelPath, request.RecipePath);
            if (origin == RecipeOrigin.Missing)
            {
                throw new CompressException(Codes.ItemRecipeMissing, "there is no such recipe", recipePath);
            }

            var recipe = recipePath is null ? Core.Recipes.Recipe.BuiltIn : RecipeReader.Read(recipePath, diagnostics);
            if (recipe is null)
            {
                return null;
            }

            using var model = ModelFile.Open(request.ModelPath, recipe.StateDict);
            var plan = Plan.Make(recipe, model.Header, diagnostics);
            plan = diagnostics.HasErrors ? plan : GlobalThreshold.Find(recipe, plan, model, diagnostics, cancellationToken);
            var sharing = SharedBits.Names(plan, recipe);
            plan = last is null ? plan : SharedBits.AsBefore(plan, last.Keys);
            var budgeted = recipe.Budget is null ? null : new BudgetedPlan(recipe, plan, model);
            using var statistics = diagnostics.HasErrors ? null : PlanStatistics.Open(recipe, budgeted?.Candidates ?? plan, model, store: null, diagnostics);
            if (diagnostics.HasErrors)
            {
                return null;
            }

            var layers = new List<LayerPreview>(plan.Count);

            // Bits that layers share are as they were if nothing that they depend on changed; else they are found anew.
            bool spreads = sharing.Count > 0 && (last?.Budget != recipe.Budget!.ToString()
                || plan.Any(layer => sharing.Contains(layer.Tensor.Name)
                    && last.Keys.GetValueOrDefault(layer.Tensor.Name) is not { Codec: "keep" } and var before
                    && before != Key(model[layer.Tensor.Name], (Treatment.Compress)layer.Treatment, statistics, last)));
            bool same = last?.Keys.Count == plan.Count && last.Budget == recipe.Budget?.ToString() && last.Recovery == recipe.Recovery?.ToString() && File.Exists(request.OutputPath) && !request.Force;
            foreach (var ways in (budgeted?.Candidates ?? plan).GroupBy(layer => layer.Tensor))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (entry, tensor) = (ways.Key, model[ways.Key.Name]);
                var looks = ways.Select(way => Look(tensor, way.Treatment, statistics, last, recipe, request)).ToList();

                // Of all ways that a budget chooses from, the one that it chose last; every one must be there to choose from.
                var before = last?.Keys.GetValueOrDefault(entry.Name);
                var key = looks.Select(look => look.Key).FirstOrDefault(known => known == before) ?? looks[0].Key;
                var missing = looks.FirstOrDefault(look => look.Action == LayerAction.Encode).Key;
                var action = missing is null ? looks[0].Action : LayerAction.Encode;
                string? why = missing is null ? null : Reason.Of(entry.Name, missing, last, request.Cache, request.Force);
                if (spreads && sharing.Contains(entry.Name) && action == LayerAction.Reuse)
                {
                    (action, why) = (LayerAction.Encode, "the budget is spread anew over the groups of all layers");
                }

                layers.Add(new(entry.Name, entry.Shape, key.Codec, key.Settings, action, why));
                same = same && before == key;
                tensor.ReleasePages();
            }

            return new(recipePath, model.Header.Tensors.Sum(tensor => tensor.ByteLength), same, layers);
        }
        catch (CompressException exception)
        {
            diagnostics.Add(exception.Diagnostic);
            return null;
        }
    }

    // Where gradients were taken again at the quantized weights, what these were follows from all that is the same as before.
    private static LayerKey Key(SourceTensor tensor, Treatment.Compress compress, IStatisticsSource? statistics, LastRun? last)
    {
        var key = EncodedLayer.Key(tensor, compress, statistics);
        return last?.Keys.GetValueOrDefault(tensor.Name) is { } before
            && before.Statistics.StartsWith(key.Statistics + TextStatistics.QuantizedWord, StringComparison.Ordinal)
            && before with { Statistics = key.Statistics } == key ? before : key;
    }

    private static (LayerKey Key, LayerAction Action) Look(
        SourceTensor tensor, Treatment treatment, IStatisticsSource? statistics, LastRun? last, Recipe recipe, CompressionRequest request)
    {
        if (treatment is Treatment.Compress compress)
        {
            var key = Key(tensor, compress, statistics, last);
            if (!request.Force && request.Cache is { } cache && cache.Contains(key.EntryName(cache.Salt)))
            {
                return (key, LayerAction.Reuse);
            }

            if (!recipe.KeepNonFinite || EncodedLayer.NonFinite(tensor) is null)
            {
                return (key, LayerAction.Encode);
            }
        }

        var type = treatment is Treatment.Keep { As: { } other } ? other : tensor.DType;
        return (KeptTensor.Key(tensor, type), LayerAction.Keep);
    }
}
