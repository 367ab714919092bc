namespace Compress.Core.Pruning;

/// <summary>Chooses the greatest of a few scores; of equal ones the first.</summary>
/// <param name="most">The most scores that there may be.</param>
internal sealed class Greatest(int most)
{
    private readonly double[] sorted = new double[most];

    /// <summary>Chooses.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="count">How many are chosen.</param>
    /// <param name="chosen">Receives which.</param>
    public void Choose(ReadOnlySpan<double> scores, int count, Span<bool> chosen)
    {
        chosen = chosen[..scores.Length];
        chosen.Clear();
        if (count == 0)
        {
            return;
        }

        var all = sorted.AsSpan(0, scores.Length);
        scores.CopyTo(all);
        all.Sort();
        double least = all[^count];
        int above = scores.Length - count;
        while (above < scores.Length && all[above] == least)
        {
            above++;
        }

        int equal = count - (scores.Length - above);
        for (int i = 0; i < scores.Length; i++)
        {
            chosen[i] = scores[i] > least || (scores[i] == least && equal-- > 0);
        }
    }
}
