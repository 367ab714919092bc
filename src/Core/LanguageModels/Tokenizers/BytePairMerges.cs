namespace Compress.Core.LanguageModels.Tokenizers;

/// <summary>Two symbols side by side become one. The lowest order goes first.</summary>
internal readonly record struct Merge(int Left, int Right, int Result, int Order);

/// <summary>The merges of byte-pair encoding (Sennrich, Haddow and Birch 2016, section 3.2), over symbols that are numbers from 0.</summary>
internal sealed class BytePairMerges
{
    private readonly Dictionary<ulong, (int Result, int Order)> merges;
    private readonly HashSet<ulong>? neighbours;

    /// <param name="all">The merges. Of two that merge the same pair, the last counts.</param>
    /// <param name="spell">
    /// The symbols that text is first cut into where it reads as this symbol; or null, if that is not certain. It lets <see cref="MayJoin"/> say no.
    /// </param>
    public BytePairMerges(IReadOnlyCollection<Merge> all, Func<int, IReadOnlyList<int>>? spell)
    {
        merges = new(all.Count);
        foreach (var merge in all)
        {
            merges[Pair(merge.Left, merge.Right)] = (merge.Result, merge.Order);
        }

        if (spell is null)
        {
            return;
        }

        neighbours = [];
        foreach (int result in all.Select(merge => merge.Result).Distinct())
        {
            var symbols = spell(result);
            for (int i = 1; i < symbols.Count; i++)
            {
                neighbours.Add(Pair(symbols[i - 1], symbols[i]));
            }
        }
    }

    /// <summary>
    /// False if nothing that is merged ever holds these two first symbols side by side. What is before and what is behind then do not depend on
    /// each other: text falls into short words, whatever the language, and encoding takes time in proportion to its length.
    /// </summary>
    public bool MayJoin(int left, int right) => neighbours is null || neighbours.Contains(Pair(left, right));

    /// <summary>What two symbols become.</summary>
    public bool TryGet(int left, int right, out int result, out int order)
    {
        bool found = merges.TryGetValue(Pair(left, right), out var merge);
        (result, order) = merge;
        return found;
    }

    private static ulong Pair(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;
}
