using System.Globalization;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>What patterns that match nothing were probably meant to be.</summary>
internal sealed class PlanSuggestion(ModelHeader header)
{
    private const int MaxLength = 200;

    private readonly string[] names = [.. header.Tensors.Select(tensor => tensor.Name).Where(name => name.Length <= MaxLength)];

    // Characters of patterns by characters of names that may still be compared, about half a second: a suggestion is a courtesy.
    private long budget = 200_000_000;

    /// <summary>The end of a message: <c>; did you mean '*.q_proj.*' (5 tensors)?</c>, <c>; the nearest name is 'fc1.weight'</c>, or nothing.</summary>
    public string For(Glob glob)
    {
        budget -= names.Sum(name => (long)name.Length) * glob.Pattern.Length;
        if (glob.Pattern.Length > MaxLength || names.Length == 0 || budget < 0)
        {
            return "";
        }

        // A forgotten prefix or suffix is the commonest slip.
        foreach (string wider in new[] { "*" + glob.Pattern, glob.Pattern + "*", "*" + glob.Pattern + "*" })
        {
            var candidate = new Glob(wider);
            int count = names.Count(candidate.IsMatch);
            if (count > 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"; did you mean '{wider}' ({count} tensor{(count == 1 ? "" : "s")})?");
            }
        }

        var (nearest, distance) = names.Select(name => (name, Distance(glob.Pattern, name))).MinBy(pair => pair.Item2);
        int literals = glob.Pattern.Count(c => c is not ('*' or '?'));
        return distance <= Math.Max(2, literals / 4) ? $"; the nearest name is '{nearest}'" : "";
    }

    // The least number of insertions, deletions and replacements in the pattern (a change of case is free) that make it fit the name.
    private static int Distance(string pattern, string name)
    {
        int[] above = new int[name.Length + 1], row = new int[name.Length + 1];
        for (int j = 0; j <= name.Length; j++)
        {
            above[j] = j;
        }

        foreach (char p in pattern)
        {
            row[0] = above[0] + (p == '*' ? 0 : 1);
            for (int j = 1; j <= name.Length; j++)
            {
                bool same = p == '?' || char.ToLowerInvariant(p) == char.ToLowerInvariant(name[j - 1]);
                row[j] = p == '*'
                    ? Math.Min(above[j], row[j - 1])
                    : Math.Min(above[j - 1] + (same ? 0 : 1), Math.Min(above[j], row[j - 1]) + 1);
            }

            (above, row) = (row, above);
        }

        return above[name.Length];
    }
}
