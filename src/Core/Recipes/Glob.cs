namespace Compress.Core.Recipes;

/// <summary>A pattern over tensor names: <c>*</c> stands for any characters, dots included, <c>?</c> for one. Case matters.</summary>
public sealed class Glob(string pattern)
{
    /// <summary>The pattern as written.</summary>
    public string Pattern { get; } = pattern;

    /// <summary>True if the whole name fits the pattern. Takes time of at most pattern times name length.</summary>
    public bool IsMatch(string name)
    {
        int p = 0, n = 0, star = -1, mark = 0;
        while (n < name.Length)
        {
            if (p < Pattern.Length && (Pattern[p] == '?' || (Pattern[p] == name[n] && Pattern[p] != '*')))
            {
                p++;
                n++;
            }
            else if (p < Pattern.Length && Pattern[p] == '*')
            {
                star = p++;
                mark = n;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++mark;
            }
            else
            {
                return false;
            }
        }

        return Pattern.AsSpan(p).IndexOfAnyExcept('*') < 0;
    }
}
