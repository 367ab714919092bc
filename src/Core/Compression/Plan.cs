using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>What happens to one tensor. <see cref="Treatment.Keep.As"/> is set only where elements really change their type.</summary>
public sealed record LayerPlan(ModelTensor Tensor, Treatment Treatment);

/// <summary>Applies a recipe to a model: one <see cref="LayerPlan"/> for each tensor.</summary>
public static class Plan
{
    /// <summary>Without a rule, smaller tensors are kept: their tables of scales would cost more than their weights save.</summary>
    public const int MinElements = 1024;

    /// <summary>
    /// Decides for each tensor of the model, in ordinal order of their names. The first rule that matches decides. Integers and bools
    /// always pass through, and so do tensors without elements. Without a rule, vectors and tensors of fewer than <see cref="MinElements"/>
    /// elements are kept in their own type. <c>keep</c> with a type never widens: a tensor whose elements are no larger stays as it is.
    /// </summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="header">The model.</param>
    /// <param name="diagnostics">Receives warnings about rules that do nothing.</param>
    public static IReadOnlyList<LayerPlan> Make(Recipe recipe, ModelHeader header, DiagnosticBag diagnostics)
    {
        var plans = new List<LayerPlan>(header.Tensors.Count);
        var usage = recipe.Rules.Select(rule => new RuleUsage(rule)).ToArray();
        foreach (var tensor in header.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            RuleUsage? decided = null;
            foreach (var rule in usage)
            {
                if (rule.Matches(tensor))
                {
                    decided ??= rule;
                    rule.Count(tensor, decided);
                }
            }

            plans.Add(new(tensor, Resolve(tensor, decided?.Rule.Treatment, recipe.Default)));
        }

        PlanWarnings.Add(recipe, header, usage, diagnostics);
        PlanWarnings.AddGroups(recipe, plans, diagnostics);
        PlanWarnings.AddUnrecovered(recipe, plans, diagnostics);
        RankLimits.Check(recipe, plans, diagnostics);
        PruneLimits.Check(recipe, plans, diagnostics);
        return plans;
    }

    /// <summary>True for vectors and small tensors, which the recipe's default does not touch.</summary>
    internal static bool IsKeptWithoutRule(ModelTensor tensor) => tensor.Shape.Count < 2 || Elements(tensor) < MinElements;

    private static long Elements(ModelTensor tensor) => tensor.ByteLength / tensor.DType.SizeInBytes();

    private static Treatment Resolve(ModelTensor tensor, Treatment? ruled, Treatment byDefault)
    {
        bool passesThrough = !tensor.DType.IsFloat() || Elements(tensor) == 0;
        var treatment = ruled ?? byDefault;
        if (passesThrough || (ruled is null && IsKeptWithoutRule(tensor)))
        {
            return new Treatment.Keep(null, treatment.Position);
        }

        return NotWidened(tensor, treatment);
    }

    /// <summary>The treatment; of one that keeps the tensor in a type that is no narrower, the one that keeps it as it is.</summary>
    internal static Treatment NotWidened(ModelTensor tensor, Treatment treatment) =>
        treatment is Treatment.Keep { As: { } type } && tensor.DType.SizeInBytes() <= type.SizeInBytes() ? new Treatment.Keep(null, treatment.Position) : treatment;
}
