namespace Compress.Core.LanguageModels.Tokenizers.HuggingFace;

/// <summary>What becomes of the delimiters that a text is split at.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>Splits a text at delimiters, as Hugging Face's NormalizedString::split.</summary>
internal static class Splitting
{
    /// <param name="text">The text.</param>
    /// <param name="delimiters">Start and end of each, in order, none empty.</param>
    /// <param name="behavior">What becomes of the delimiters.</param>
    /// <param name="invert">True if what lies between is the delimiter.</param>
    public static List<(int Start, int End)> Split(string text, List<(int Start, int End)> delimiters, SplitBehavior behavior, bool invert)
    {
        var parts = new List<(int Start, int End, bool IsDelimiter)>();
        int end = 0;
        foreach (var delimiter in delimiters)
        {
            Add(end, delimiter.Start, invert);
            Add(delimiter.Start, delimiter.End, !invert);
            end = delimiter.End;
        }

        Add(end, text.Length, invert);
        return behavior switch
        {
            SplitBehavior.Removed => [.. parts.Where(part => !part.IsDelimiter).Select(part => (part.Start, part.End))],
            SplitBehavior.Isolated => [.. parts.Select(part => (part.Start, part.End))],
            SplitBehavior.MergedWithPrevious => Join(parts, (last, part) => part.IsDelimiter && !last.IsDelimiter),
            SplitBehavior.MergedWithNext => Join(parts, (last, part) => last.IsDelimiter && !part.IsDelimiter),
            _ => Join(parts, (last, part) => last.IsDelimiter == part.IsDelimiter),
        };

        void Add(int from, int to, bool isDelimiter)
        {
            if (to > from)
            {
                parts.Add((from, to, isDelimiter));
            }
        }
    }

    private static List<(int Start, int End)> Join(
        List<(int Start, int End, bool IsDelimiter)> parts,
        Func<(int Start, int End, bool IsDelimiter), (int Start, int End, bool IsDelimiter), bool> joins)
    {
        var result = new List<(int Start, int End)>();
        for (int i = 0; i < parts.Count; i++)
        {
            if (i > 0 && joins(parts[i - 1], parts[i]))
            {
                result[^1] = (result[^1].Start, parts[i].End);
            }
            else
            {
                result.Add((parts[i].Start, parts[i].End));
            }
        }

        return result;
    }
}
