namespace Compress.Core.Allocation;

/// <summary>
/// The problem in which a layer may have a mixture of two choices. Its solution takes the steps of all convex hulls in the order of what they save
/// for their size, until the budget is used up.
/// </summary>
/// <param name="Price">λ, the cost that a unit of size is worth: the saving of the step that did not fit.</param>
/// <param name="Steps">A whole solution that fits: without that step, and with later ones that fit in its place.</param>
/// <param name="Fixed">The solution if every layer can have its cheapest choice, else null.</param>
internal sealed record Relaxation(double Price, int[] Steps, int[]? Fixed)
{
    public static Relaxation Solve(Staircase[] stairs, long budget)
    {
        int[] chosen = new int[stairs.Length];
        long left = budget - stairs.Sum(stair => stair[0].Size);
        var steps = new List<(double Slope, int Layer, int From, int To)>();
        for (int layer = 0; layer < stairs.Length; layer++)
        {
            var hull = stairs[layer].Hull();
            for (int i = 1; i < hull.Count; i++)
            {
                steps.Add((stairs[layer].Slope(hull[i - 1], hull[i]), layer, hull[i - 1], hull[i]));
            }
        }

        double? price = null;
        foreach (var (slope, layer, from, to) in steps.OrderByDescending(step => step.Slope).ThenBy(step => step.Layer).ThenBy(step => step.From))
        {
            long size = stairs[layer][to].Size - stairs[layer][chosen[layer]].Size;
            if (chosen[layer] == from && size <= left)
            {
                (chosen[layer], left) = (to, left - size);
            }
            else
            {
                price ??= slope;
            }
        }

        return price is { } found ? new(found, chosen, null) : new(0, chosen, chosen);
    }
}
