using Compress.Runtime.Numerics;

namespace Compress.Core.Calibration;

/// <summary>
/// Draws windows at random from a stream of them: in the order of random numbers that follow from seed and place, as many as have the tokens that are asked
/// for; the last is cut. No more are held (reservoir sampling with random keys; Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
/// </summary>
/// <param name="tokens">How many, at least 1.</param>
/// <param name="seed">Which windows.</param>
internal sealed class WindowDraw(int tokens, ulong seed)
{
    private readonly SortedDictionary<(ulong Order, int Index), int[]> drawn = new(Comparer<(ulong, int)>.Create((a, b) => b.CompareTo(a))); // the last first
    private long held;
    private int seen;

    /// <summary>True if there were more tokens than are asked for.</summary>
    public bool LeavesSome { get; private set; }

    /// <summary>The next window.</summary>
    public void Add(int[] window)
    {
        drawn.Add((Signs.Word(seed, seen), seen), window);
        held += window.Length;
        seen++;
        LeavesSome |= held > tokens;
        for (; drawn.First() is var last && held - last.Value.Length >= tokens; held -= last.Value.Length)
        {
            drawn.Remove(last.Key);
        }
    }

    /// <summary>What was drawn, in the order of the stream.</summary>
    public IReadOnlyList<int[]> Windows() =>
        [.. drawn.Select((pair, place) => (pair.Key.Index, Tokens: place == 0 && held > tokens ? pair.Value[..(pair.Value.Length - (int)(held - tokens))] : pair.Value))
            .OrderBy(window => window.Index).Select(window => window.Tokens)];
}
