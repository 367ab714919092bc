using Compress.Core.Codecs;
using Compress.Core.Codecs.Sparse;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Pruning;
using Compress.Core.Recipes;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Compression;

/// <summary>Finds the least magnitude that is kept of all matrices under a rule with <c>scope: global</c>: all of at least that are, and none that is zero.</summary>
internal static class GlobalThreshold
{
    /// <summary>The plan with the thresholds that it lacks. Reads the matrices twice.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="plan">What it says of each tensor.</param>
    /// <param name="model">The model.</param>
    /// <param name="diagnostics">Receives an error for each matrix of which nothing would be left.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static IReadOnlyList<LayerPlan> Find(Recipe recipe, IReadOnlyList<LayerPlan> plan, ModelFile model, DiagnosticBag diagnostics, CancellationToken cancellationToken)
    {
        var found = plan.ToArray();
        foreach (var rule in Enumerable.Range(0, plan.Count).Where(index => Encoder(plan[index]) is { Prune.IsGlobal: true }).GroupBy(index => Encoder(plan[index])!.Prune.Position))
        {
            // What is not finite is an error, or kept, when it is its turn.
            List<int> layers = [.. rule.Where(index => model[plan[index].Tensor.Name] is var tensor && tensor.FirstNonFinite() is null && tensor.FirstBeyondFloat() is null)];
            var tensors = layers.ConvertAll(index => (WeightMatrix)model[plan[index].Tensor.Name]);
            var settings = Encoder(plan[rule.First()])!.Prune;
            long weights = tensors.Sum(tensor => (long)tensor.Rows * tensor.Columns);
            float least = weights == 0 ? 0 : MagnitudeThreshold.Of(tensors, settings.Kept(weights), cancellationToken).Threshold;
            least = Math.Max(least, float.Epsilon);
            foreach (int index in rule)
            {
                found[index] = plan[index] with { Treatment = (Treatment.Compress)plan[index].Treatment with { Encoder = Encoder(plan[index])!.WithThreshold(least) } };
            }

            foreach (int index in layers.Where(index => !Reaches(model[plan[index].Tensor.Name], least, cancellationToken)))
            {
                diagnostics.Add(new(
                    Codes.RecipeBadValue, Severity.Error,
                    FormattableString.Invariant($"'sparsity': found {settings.Sparsity:R}; of {Quote.Name(plan[index].Tensor.Name)} nothing would be left: no weight reaches {least:R}, which weights of all matrices under the rule must; ")
                    + "choose a lower sparsity, 'scope: layer', or a rule of its own for it",
                    recipe.File, settings.Position.Line, settings.Position.Column));
            }

            layers.ForEach(index => model[plan[index].Tensor.Name].ReleasePages());
        }

        return found;
    }

    private static SparseEncoder? Encoder(LayerPlan layer) => (layer.Treatment as Treatment.Compress)?.Encoder as SparseEncoder;

    private static bool Reaches(WeightMatrix matrix, float least, CancellationToken cancellationToken)
    {
        bool reaches = false;
        RowReader.ForEach(matrix, (_, values) =>
        {
            foreach (float value in values)
            {
                reaches |= Math.Abs(value) >= least;
            }
        }, cancellationToken);
        return reaches;
    }
}
