namespace Compress.Core.Recipes;

/// <summary>Finds what a misspelt name was meant to be.</summary>
public static class NearestName
{
    // Longer names are no slip of a finger; bounds the time.
    private const int MaxLength = 64;

    /// <summary>The nearest candidate that is near enough to suggest, the first of several; else null.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string plain = Plain(name);
        if (plain.Length is 0 or > MaxLength)
        {
            return null;
        }

        string? best = null;
        int bestDistance = plain.Length < 3 ? 1 : (plain.Length / 3) + 1; // exclusive; names this short are all near
        foreach (string candidate in candidates)
        {
            string other = Plain(candidate);
            if (other.Length <= plain.Length - bestDistance)
            {
                continue;
            }

            // "group" was meant to be "groupSize".
            int distance = plain.Length >= 3 && other.StartsWith(plain, StringComparison.Ordinal) ? 1 : Distance(plain, other);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary><c>; did you mean 'bits'?</c>, or nothing.</summary>
    public static string Hint(string name, IEnumerable<string> candidates) =>
        Find(name, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : "";

    // group_size, Group-Size and groupSize are one name to the writer.
    private static string Plain(string name) =>
        name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    // Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours cost one each.
    private static int Distance(string a, string b)
    {
        var rows = new int[3][];
        for (int k = 0; k < 3; k++)
        {
            rows[k] = new int[b.Length + 1];
        }

        for (int j = 0; j <= b.Length; j++)
        {
            rows[0][j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int[] row = rows[i % 3], above = rows[(i + 2) % 3], twoAbove = rows[(i + 1) % 3];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(replace, Math.Min(above[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    row[j] = Math.Min(row[j], twoAbove[j - 2] + 1);
                }
            }
        }

        return rows[a.Length % 3][b.Length];
    }
}
