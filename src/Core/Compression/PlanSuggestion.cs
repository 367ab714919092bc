using System.Globalization;
using Compress.Core.Models.Formats;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>What a pattern that matches nothing was probably meant to be.</summary>
internal static class PlanSuggestion
{
    // Bound the work on huge models and patterns: a suggestion is a courtesy.
    private const int MaxNames = 10_000;
    private const int MaxLength = 200;

    /// <summary>The end of a message: <c>; did you mean '*.q_proj.*' (5 tensors)?</c>, <c>; the nearest name is 'fc1.weight'</c>, or nothing.</summary>
    public static string For(Glob glob, ModelHeader header)
    {
        var names = header.Tensors.Take(MaxNames).Select(tensor => tensor.Name).Where(name => name.Length <= MaxLength).ToArray();
        if (glob.Pattern.Length > MaxLength || names.Length == 0)
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

        string nearest = names.MinBy(name => Distance(glob.Pattern, name))!;
        int literals = glob.Pattern.Count(c => c is not ('*' or '?'));
        return Distance(glob.Pattern, nearest) <= Math.Max(2, literals / 4) ? $"; the nearest name is '{nearest}'" : "";
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
