using Compress.Runtime;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Spreads independent work over <see cref="RuntimeOptions.MaxThreads"/> threads.</summary>
internal static class Threads
{
    /// <summary>Does 0 … count − 1, in any order.</summary>
    public static void For(int count, Action<int> body)
    {
        if (RuntimeOptions.MaxThreads == 1)
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
}
