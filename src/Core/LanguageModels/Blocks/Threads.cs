using Compress.Runtime;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Spreads independent work over <see cref="RuntimeOptions.MaxThreads"/> threads.</summary>
internal static class Threads
{
    /// <summary>Tokens of a block; the last may have fewer.</summary>
    public const int BlockTokens = 32;

    /// <summary>Does 0 … count − 1, in any order.</summary>
    public static void For(int count, Action<int> body)
    {
        if (RuntimeOptions.MaxThreads == 1 || count == 1)
        {
            for (int i = 0; i < count; i++)
            {
                body(i);
            }
        }
        else
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads }, body);
        }
    }

    /// <summary>Does a sequence in blocks of tokens: the body is given the first token of a block, and how many there are.</summary>
    public static void ForTokens(int tokens, Action<int, int> body) =>
        For((tokens + BlockTokens - 1) / BlockTokens, block => body(block * BlockTokens, Math.Min(BlockTokens, tokens - (block * BlockTokens))));
}
