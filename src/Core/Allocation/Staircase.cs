namespace Compress.Core.Allocation;

/// <summary>The choices of a layer that no other one beats: larger is cheaper.</summary>
internal sealed class Staircase
{
    private readonly Choice[] steps;
    private readonly int[] indices;

    private Staircase(Choice[] steps, int[] indices) => (this.steps, this.indices) = (steps, indices);

    public int Count => steps.Length;

    public Choice this[int step] => steps[step];

    public static Staircase Of(IReadOnlyList<Choice> choices)
    {
        if (choices.Count == 0)
        {
            throw new ArgumentException("a layer without a choice", nameof(choices));
        }

        var steps = new List<Choice>();
        var indices = new List<int>();
        foreach (int index in Enumerable.Range(0, choices.Count).OrderBy(i => choices[i].Size).ThenBy(i => choices[i].Cost))
        {
            var choice = choices[index];
            if (choice.Size < 0 || !double.IsFinite(choice.Cost) || choice.Cost < 0)
            {
                throw new ArgumentException($"a choice of size {choice.Size} and cost {choice.Cost}", nameof(choices));
            }

            if (steps.Count == 0 || choice.Cost < steps[^1].Cost)
            {
                steps.Add(choice);
                indices.Add(index);
            }
        }

        return new([.. steps], [.. indices]);
    }

    /// <summary>The place of a step in the list that was given.</summary>
    public int IndexOf(int step) => indices[step];

    /// <summary>The steps on the lower convex hull, the smallest first.</summary>
    public List<int> Hull()
    {
        var hull = new List<int>();
        for (int step = 0; step < steps.Length; step++)
        {
            while (hull.Count > 1 && Slope(hull[^2], hull[^1]) <= Slope(hull[^1], step))
            {
                hull.RemoveAt(hull.Count - 1);
            }

            hull.Add(step);
        }

        return hull;
    }

    /// <summary>The cost that each unit of size saves from one step to a larger one.</summary>
    public double Slope(int from, int to) => (steps[from].Cost - steps[to].Cost) / (steps[to].Size - steps[from].Size);
}
