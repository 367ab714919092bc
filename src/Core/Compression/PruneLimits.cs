using Compress.Core.Codecs.Sparse;
using Compress.Core.Diagnostics;
using Compress.Core.Pruning;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>Tells of patterns that do not divide rows, and of thresholds that a budget leaves nothing to be found for.</summary>
internal static class PruneLimits
{
    /// <summary>Checks the tensors of a plan: one error for each place in the recipe, with the first tensor that it is about.</summary>
    public static void Check(Recipe recipe, IReadOnlyList<LayerPlan> plans, DiagnosticBag diagnostics)
    {
        var told = new HashSet<Position>();
        foreach (var plan in plans)
        {
            var options = plan.Treatment is Treatment.Choose choose ? choose.Options : [plan.Treatment];
            foreach (var settings in options.OfType<Treatment.Compress>().Select(option => option.Encoder).OfType<SparseEncoder>().Select(encoder => encoder.Prune))
            {
                if (Find(plan, settings) is var (code, message) && told.Add(settings.Position))
                {
                    diagnostics.Add(new(code, Severity.Error, message, recipe.File, settings.Position.Line, settings.Position.Column));
                }
            }
        }
    }

    private static (string Code, string Message)? Find(LayerPlan plan, PruneSettings settings)
    {
        if (settings.IsGlobal && plan.Treatment is Treatment.Choose)
        {
            return (Codes.RecipeConflict, "'scope: global' finds out how many weights each matrix keeps, and so does a budget; give the method 'bits', or remove 'scope'");
        }

        // Of other saliencies it is known later which side inputs are on.
        var shape = plan.Tensor.Shape;
        long columns = shape.Skip(shape.Count < 2 ? 0 : 1).Aggregate(1L, (product, dimension) => product * dimension);
        return settings is { Pattern: var (_, of), By: Saliency.Magnitude } && columns % of != 0
            ? (Codes.RecipeBadValue, Pruner.PatternMessage(settings, Quote.Name(plan.Tensor.Name), columns))
            : null;
    }
}
