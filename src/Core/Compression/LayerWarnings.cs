using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>Says what encoders had to say, at the rules that the layers are under.</summary>
internal static class LayerWarnings
{
    /// <summary>One warning for each rule and code, which tells of the first layer and counts the others.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="asked">What it says of each tensor.</param>
    /// <param name="plan">What became of that: a budget has chosen.</param>
    /// <param name="results">Of the plan.</param>
    /// <param name="diagnostics">Receives the warnings.</param>
    public static void Add(Recipe recipe, IReadOnlyList<LayerPlan> asked, IReadOnlyList<LayerPlan> plan, TensorResult[] results, DiagnosticBag diagnostics)
    {
        var chosen = asked.Where(layer => layer.Treatment is Treatment.Choose).Select(layer => layer.Tensor.Name).ToHashSet(StringComparer.Ordinal);
        var found = plan.Zip(results)
            .SelectMany(layer => layer.Second.Warnings.Select(warning => (layer.First.Tensor.Name, layer.First.Treatment.Position, Warning: warning)))
            .Where(item => item.Warning.Code != Codes.BitsNotReached || !chosen.Contains(item.Name)); // nobody asked for those bits
        foreach (var group in found.GroupBy(item => (item.Position, item.Warning.Code)).OrderBy(group => group.Key.Position.Line))
        {
            var (name, position, warning) = group.First();
            string others = group.Count() == 1 ? "" : FormattableString.Invariant($" (and {group.Count() - 1} other layers)");
            diagnostics.Add(new(warning.Code, Severity.Warning, $"{Quote.Name(name)}{others}: {warning.Text}", recipe.File, position.Line, position.Column));
        }
    }
}
