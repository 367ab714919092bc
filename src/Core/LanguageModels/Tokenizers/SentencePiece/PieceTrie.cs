namespace Compress.Core.LanguageModels.Tokenizers.SentencePiece;

/// <summary>Pieces by their bytes, for finding all that a text begins with.</summary>
internal sealed class PieceTrie
{
    private const int Root = 0;

    private readonly Dictionary<long, int> children = []; // node << 8 | byte → node
    private readonly List<int> values = [-1]; // [nodes], -1 where no piece ends

    /// <summary>Adds a piece. Of equal ones, the last stays.</summary>
    public void Add(ReadOnlySpan<byte> piece, int value)
    {
        int node = Root;
        foreach (byte part in piece)
        {
            if (!children.TryGetValue(((long)node << 8) | part, out int child))
            {
                child = values.Count;
                children.Add(((long)node << 8) | part, child);
                values.Add(-1);
            }

            node = child;
        }

        values[node] = value;
    }

    /// <summary>The pieces that the text begins with, the shortest first.</summary>
    public Walk StartsOf(ReadOnlySpan<byte> text) => new(this, text);

    /// <summary>The longest piece that the text begins with: its length, or 0.</summary>
    public int LongestStart(ReadOnlySpan<byte> text, out int value)
    {
        var walk = StartsOf(text);
        int longest = 0;
        value = -1;
        while (walk.Next())
        {
            (longest, value) = (walk.Length, walk.Value);
        }

        return longest;
    }

    /// <summary>A way down the trie.</summary>
    internal ref struct Walk(PieceTrie trie, ReadOnlySpan<byte> text)
    {
        private readonly ReadOnlySpan<byte> text = text;
        private int node;

        /// <summary>Of the piece found, in bytes.</summary>
        public int Length { get; private set; }

        /// <summary>What was added with the piece found.</summary>
        public int Value { get; private set; }

        public bool Next()
        {
            while (Length < text.Length && trie.children.TryGetValue(((long)node << 8) | text[Length], out node))
            {
                Length++;
                Value = trie.values[node];
                if (Value >= 0)
                {
                    return true;
                }
            }

            return false;
        }
    }
}
