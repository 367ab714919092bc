namespace Compress.Core.Allocation;

/// <summary>
/// Sensitivities drawn towards a common one. Each layer's was measured with all others intact, and errors of several layers make each other worse: a choice
/// that trusts them fully gives some layers more error than it should, one that trusts them not at all gives all layers the same.
/// </summary>
internal static class Shrinkage
{
    /// <summary>How far they are drawn, from not at all to where a weight costs the same in every layer.</summary>
    public static readonly IReadOnlyList<double> Shares = [0, 0.25, 0.5, 0.75, 1];

    /// <summary>Costs c^(1 − share) (N t²)^share, for a layer of N weights that a form gives the error t².</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="costs">Of each layer's forms, as they were measured.</param>
    /// <param name="share">From 0 to 1.</param>
    public static IReadOnlyList<LayerCost> Shrink(IReadOnlyList<LayerForms> layers, IReadOnlyList<LayerCost> costs, double share)
    {
        if (share == 0)
        {
            return costs;
        }

        // A cost that chance made 0 is not one that is nothing to any power.
        double least = costs.SelectMany(cost => cost.Costs).Where(cost => cost > 0).DefaultIfEmpty(1).Min();
        return [.. layers.Zip(costs, (layer, cost) => cost.Sensitivity.Alpha == 0 && !cost.Sensitivity.Clamped
            ? cost
            : cost with { Costs = [.. layer.Forms.Zip(cost.Costs, (form, own) => Shrunk(Math.Max(own, least), (double)layer.Tensor.Count * form.RelativeMse))] })];

        double Shrunk(double own, double common) => common == 0 ? 0 : Numerics.Elementary.Exp(((1 - share) * Numerics.Elementary.Log(own)) + (share * Numerics.Elementary.Log(common)));
    }
}
