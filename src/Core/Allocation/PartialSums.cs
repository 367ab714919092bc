using System.Runtime.InteropServices;

namespace Compress.Core.Allocation;

/// <summary>The dynamic programming of <see cref="ExactAllocation"/>, from the first layer to the last.</summary>
internal sealed class PartialSums
{
    // Sums of doubles differ by this part with the order of their terms.
    private const double Rounding = 1e-12;

    private readonly Staircase[] stairs;
    private readonly long budget;
    private readonly Relaxation relaxed;
    private readonly int[] order;

    // Of the layers from one on: the least size; and size and cost of the solution known.
    private readonly long[] leastAfter, knownSizeAfter;
    private readonly double[] knownCostAfter;

    // A lower bound of all solutions, and the cost of the best one known.
    private readonly double bound;
    private double known;

    public PartialSums(Staircase[] stairs, long budget, Relaxation relaxed)
    {
        (this.stairs, this.budget, this.relaxed) = (stairs, budget, relaxed);

        // Layers whose choice is clear come first: they add no states.
        order = [.. Enumerable.Range(0, stairs.Length).OrderByDescending(SecondBest).ThenBy(layer => layer)];
        int count = stairs.Length;
        (leastAfter, knownSizeAfter, knownCostAfter) = (new long[count + 1], new long[count + 1], new double[count + 1]);
        double total = 0;
        for (int i = count - 1; i >= 0; i--)
        {
            var stair = stairs[order[i]];
            var choice = stair[relaxed.Steps[order[i]]];
            leastAfter[i] = leastAfter[i + 1] + stair[0].Size;
            knownSizeAfter[i] = knownSizeAfter[i + 1] + choice.Size;
            knownCostAfter[i] = knownCostAfter[i + 1] + choice.Cost;
            total += Priced(stair).Min();
        }

        bound = total - (relaxed.Price * budget);
        known = knownCostAfter[0];
    }

    /// <summary>Solves it.</summary>
    /// <returns>The step of each layer.</returns>
    public int[] Solve()
    {
        var stages = new List<State[]>(stairs.Length + 1) { new[] { new State(0, 0, 0, -1, -1) } };
        for (int i = 0; i < order.Length; i++)
        {
            stages.Add(Next(stages[i], i));
        }

        int[] steps = new int[stairs.Length];
        int at = stages[^1].Length - 1; // the largest is the cheapest
        for (int i = order.Length; i > 0; i--)
        {
            var state = stages[i][at];
            steps[order[i - 1]] = state.Step;
            at = state.Parent;
        }

        return steps;
    }

    private State[] Next(State[] states, int index)
    {
        var stair = stairs[order[index]];
        double[] priced = [.. Priced(stair)];
        double least = priced.Min();
        var next = new List<State>();
        for (int step = 0; step < stair.Count; step++)
        {
            double excess = priced[step] - least;
            for (int parent = 0; parent < states.Length; parent++)
            {
                ref var from = ref states[parent];
                var state = new State(from.Size + stair[step].Size, from.Cost + stair[step].Cost, from.Excess + excess, parent, step);
                if (state.Size + leastAfter[index + 1] > budget || bound + state.Excess > known + (Rounding * (known + Math.Abs(bound))))
                {
                    continue;
                }

                next.Add(state);
                if (state.Size + knownSizeAfter[index + 1] <= budget)
                {
                    known = Math.Min(known, state.Cost + knownCostAfter[index + 1]);
                }
            }
        }

        // Of all that are no larger than a state, none may be as cheap.
        var all = CollectionsMarshal.AsSpan(next);
        all.Sort();
        int kept = 0;
        for (int i = 0; i < all.Length; i++)
        {
            if (kept == 0 || all[i].Cost < all[kept - 1].Cost)
            {
                all[kept++] = all[i];
            }
        }

        return all[..kept].ToArray();
    }

    // Costs if the budget is paid for.
    private IEnumerable<double> Priced(Staircase stair) => Enumerable.Range(0, stair.Count).Select(step => stair[step].Cost + (relaxed.Price * stair[step].Size));

    private double SecondBest(int layer)
    {
        double[] priced = [.. Priced(stairs[layer]).Order()];
        return priced.Length == 1 ? double.PositiveInfinity : priced[1] - priced[0];
    }

    /// <summary>A choice for each of the first layers.</summary>
    /// <param name="Size">Of all of them.</param>
    /// <param name="Cost">Of all of them.</param>
    /// <param name="Excess">What they cost more than the cheapest, if size is paid for.</param>
    /// <param name="Parent">The state without the last layer.</param>
    /// <param name="Step">Of the last layer.</param>
    private readonly record struct State(long Size, double Cost, double Excess, int Parent, int Step) : IComparable<State>
    {
        public int CompareTo(State other)
        {
            int bySize = Size.CompareTo(other.Size);
            int byCost = bySize != 0 ? bySize : Cost.CompareTo(other.Cost);
            return byCost != 0 ? byCost : (Step, Parent).CompareTo((other.Step, other.Parent));
        }
    }
}
