namespace Compress.Core.Allocation;

/// <summary>What one way to store a layer takes and costs.</summary>
/// <param name="Size">What it takes of the budget, in any unit, not negative.</param>
/// <param name="Cost">What it costs in quality: by the linearity theorem α t² (HIGGS, arXiv 2411.17525, section 3). Finite, not negative.</param>
public readonly record struct Choice(long Size, double Cost);

/// <summary>
/// Picks one choice for each layer so that the costs add up to the least, and the sizes to no more than the budget: a multiple-choice knapsack, solved
/// exactly. Dynamic programming over the layers keeps the partial sums that no other one beats in both size and cost, and of these only
/// those that can still lead to less than the best solution known, by the bound of the Lagrangian relaxation (Pisinger, "A minimal algorithm for the
/// multiple-choice knapsack problem", 1995). So sizes need no common unit: they may be the bytes of the finished file.
/// </summary>
public static class ExactAllocation
{
    /// <summary>Solves it. Of solutions with equal cost it gives one of the smallest; the same one on every machine.</summary>
    /// <param name="layers">The choices of each layer, at least one each.</param>
    /// <param name="budget">The most that all sizes may add up to.</param>
    /// <returns>The index of each layer's choice; null if even the smallest choices do not fit.</returns>
    /// <exception cref="ArgumentException">A layer has no choice, or a choice is negative or not finite.</exception>
    public static int[]? Solve(IReadOnlyList<IReadOnlyList<Choice>> layers, long budget)
    {
        Staircase[] stairs = [.. layers.Select(Staircase.Of)];
        long least = stairs.Sum(stair => stair[0].Size);
        if (least > budget)
        {
            return null;
        }

        var relaxed = Relaxation.Solve(stairs, budget);
        int[] best = relaxed.Fixed is { } all ? all : new PartialSums(stairs, budget, relaxed).Solve();
        return [.. best.Select((step, layer) => stairs[layer].IndexOf(step))];
    }
}
