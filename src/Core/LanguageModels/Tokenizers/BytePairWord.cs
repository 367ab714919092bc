using System.Runtime.InteropServices;

namespace Compress.Core.LanguageModels.Tokenizers;

/// <summary>A stretch of text while its symbols are merged. Of merges of equal order the leftmost goes first. For one thread, to be used again and again.</summary>
internal sealed class BytePairWord(BytePairMerges merges)
{
    private readonly List<Part> parts = [];
    private readonly PriorityQueue<int, ulong> queue = new(); // result, by order and then place
    private int head;

    /// <summary>Called for every merge that comes into question: left, right, result. Null, if nobody wants to know.</summary>
    public Action<int, int, int>? Candidate { get; init; }

    /// <summary>True if nothing was added.</summary>
    public bool IsEmpty => parts.Count == 0;

    /// <summary>True if the word has to hold this symbol too, because it may be merged with the last one.</summary>
    public bool Continues(int symbol) => merges.MayJoin(parts[^1].Symbol, symbol);

    /// <summary>Adds a symbol. Negative ones take part in no merge.</summary>
    /// <param name="symbol">The symbol.</param>
    /// <param name="start">Where it starts in the text; comes back from <see cref="Next"/>.</param>
    public void Add(int symbol, int start) => parts.Add(new() { Symbol = symbol, Start = start, Previous = parts.Count - 1, Next = parts.Count + 1 });

    /// <summary>Merges what can be merged. <see cref="Next"/> then gives what is left, and empties the word.</summary>
    public void Merge()
    {
        var all = CollectionsMarshal.AsSpan(parts);
        for (int i = 1; i < all.Length; i++)
        {
            Consider(all, i - 1, i);
        }

        while (queue.TryDequeue(out int result, out ulong priority))
        {
            int at = (int)(uint)priority;
            ref var left = ref all[at];
            if (left.Removed || left.Next == all.Length || !Merges(left.Symbol, all[left.Next].Symbol, out int now, out _) || now != result)
            {
                continue; // another merge took one of the two
            }

            ref var right = ref all[left.Next];
            right.Removed = true;
            left.Symbol = result;
            left.Next = right.Next;
            if (left.Next < all.Length)
            {
                all[left.Next].Previous = at;
                Consider(all, at, left.Next);
            }

            if (left.Previous >= 0)
            {
                Consider(all, left.Previous, at);
            }
        }
    }

    /// <summary>The symbols that are left, one after the other.</summary>
    public bool Next(out int symbol, out int start)
    {
        if (head >= parts.Count)
        {
            parts.Clear();
            (head, symbol, start) = (0, 0, 0);
            return false;
        }

        (symbol, start) = (parts[head].Symbol, parts[head].Start);
        head = parts[head].Next;
        return true;
    }

    private bool Merges(int left, int right, out int result, out int order)
    {
        (result, order) = (0, 0);
        return left >= 0 && right >= 0 && merges.TryGet(left, right, out result, out order);
    }

    private void Consider(ReadOnlySpan<Part> all, int left, int right)
    {
        if (Merges(all[left].Symbol, all[right].Symbol, out int result, out int order))
        {
            queue.Enqueue(result, ((ulong)(uint)order << 32) | (uint)left);
            Candidate?.Invoke(all[left].Symbol, all[right].Symbol, result);
        }
    }

    private struct Part
    {
        public int Symbol;
        public int Start;
        public int Previous;
        public int Next;
        public bool Removed;
    }
}
