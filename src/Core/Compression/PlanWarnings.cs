using Compress.Core.Diagnostics;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>What one rule met in a model.</summary>
internal sealed class RuleUsage(Rule rule)
{
    private readonly int[] matched = new int[rule.Match.Count];
    private int floats;

    public Rule Rule => rule;

    /// <summary>How many tensors the rule decides.</summary>
    public int Decided { get; private set; }

    /// <summary>A tensor that the rule decides.</summary>
    public ModelTensor? Example { get; private set; }

    /// <summary>The first earlier rule that took a tensor from this one.</summary>
    public RuleUsage? TakenBy { get; private set; }

    /// <summary>True if what it decides are integers and bools only.</summary>
    public bool OnlyPassThrough => Decided > 0 && floats == 0;

    /// <summary>The patterns that fit no tensor.</summary>
    public IEnumerable<RulePattern> Unmatched => rule.Match.Where((_, index) => matched[index] == 0);

    /// <summary>True if any pattern fits; counts all that do.</summary>
    public bool Matches(ModelTensor tensor)
    {
        bool any = false;
        for (int i = 0; i < matched.Length; i++)
        {
            bool fits = rule.Match[i].Glob.IsMatch(tensor.Name);
            matched[i] += fits ? 1 : 0;
            any |= fits;
        }

        return any;
    }

    /// <summary>Counts a tensor that the rule matches.</summary>
    public void Count(ModelTensor tensor, RuleUsage decidedBy)
    {
        if (decidedBy != this)
        {
            TakenBy ??= decidedBy;
            return;
        }

        Decided++;
        floats += tensor.DType.IsFloat() ? 1 : 0;
        Example ??= tensor;
    }
}

/// <summary>Warns of rules that do nothing to a model.</summary>
internal static class PlanWarnings
{
    public static void Add(Recipe recipe, ModelHeader header, IReadOnlyList<RuleUsage> rules, DiagnosticBag diagnostics)
    {
        var suggestion = new PlanSuggestion(header);
        foreach (var usage in rules)
        {
            foreach (var pattern in usage.Unmatched)
            {
                Warn(Codes.RecipeMatchesNothing, pattern.Position, $"'{pattern.Glob.Pattern}' matches no tensor{suggestion.For(pattern.Glob)}");
            }

            var position = usage.Rule.Match[0].Position;
            if (usage.Decided == 0 && usage.TakenBy is { } taken)
            {
                string where = $"line {taken.Rule.Position.Line}";
                Warn(Codes.RecipeRuleShadowed, position, $"the rule decides nothing: earlier rules (first in {where}) match all its tensors; move it above them");
            }
            else if (usage.OnlyPassThrough && usage.Rule.Treatment is not Treatment.Keep { As: null })
            {
                string example = $"'{usage.Example!.Name}' ({usage.Example.DType.Name()})";
                Warn(Codes.ModelTensorNotCompressible, position, $"the rule has no effect: integers and booleans pass through unchanged, here {example}");
            }
        }

        void Warn(string code, Position position, string message) =>
            diagnostics.Add(new(code, Severity.Warning, message, recipe.File, position.Line, position.Column));
    }

    /// <summary>Warns of methods that are of no use without training, where there is none.</summary>
    public static void AddUnrecovered(Recipe recipe, IReadOnlyList<LayerPlan> plans, DiagnosticBag diagnostics)
    {
        foreach (var compress in recipe.Recovery is not null ? [] : plans.Select(plan => plan.Treatment).OfType<Treatment.Compress>().DistinctBy(compress => compress.Position))
        {
            if (compress.Codec.OnlyWithRecovery is { } why)
            {
                diagnostics.Add(new(Codes.RecipeNeedsRecovery, Severity.Warning,
                    $"method {compress.Codec.Name} takes 'recover' to be of use: {why}; add 'recover: {{ text: FILE }}', or give another method",
                    recipe.File, compress.Position.Line, compress.Position.Column));
            }
        }
    }

    /// <summary>Warns of groups that no tensor is in.</summary>
    public static void AddGroups(Recipe recipe, IReadOnlyList<LayerPlan> plans, DiagnosticBag diagnostics)
    {
        foreach (var tensors in plans.Where(plan => plan.Treatment is Treatment.Choose { Group: not null }).GroupBy(plan => ((Treatment.Choose)plan.Treatment).Group!))
        {
            if (tensors.All(plan => tensors.Key.Of(plan.Tensor.Name) is null))
            {
                diagnostics.Add(new(Codes.RecipeMatchesNothing, Severity.Warning,
                    $"'{tensors.Key.Pattern}' is the beginning of no tensor's name here, up to a dot, such as {Runtime.Safetensors.Quote.Name(tensors.First().Tensor.Name)}",
                    recipe.File, tensors.Key.Position.Line, tensors.Key.Position.Column));
            }
        }
    }
}
