using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Compress.Core.Codecs.Feedback;

/// <summary>
/// The factors of the last few layers: queries, keys and values have the same inputs, and so have all widths of one layer that a budget chooses from. What
/// is equal is found by content, so that results depend on nothing but what is asked for.
/// </summary>
/// <param name="maxBytes">What is kept at most for those that come later.</param>
internal sealed class SharedFactors(long maxBytes)
{
    private readonly List<Entry> recent = [];

    /// <summary>Those of the process.</summary>
    public static SharedFactors Instance { get; } = new(256 << 20);

    /// <summary>The factor of a layer's inputs. What another thread is making is waited for.</summary>
    /// <param name="moments">H, <c>[inputs, inputs]</c>.</param>
    /// <param name="inputs">Inputs of the layer.</param>
    /// <param name="blockSize">As <see cref="FeedbackFactor"/> has it.</param>
    /// <param name="groupSize">As <see cref="FeedbackFactor"/> has it.</param>
    /// <param name="settings">Damping and order.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <param name="transform">What makes of H the moments to factor, and words that tell it from others; null to factor H.</param>
    /// <param name="stripUnit">As <see cref="FeedbackFactor"/> has it.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public FeedbackFactor Get(
        double[] moments, int inputs, int blockSize, int groupSize, FeedbackSettings settings, CancellationToken cancellationToken,
        (string Words, Func<double[]> Apply)? transform = null, int stripUnit = 1)
    {
        var key = new Key(Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<double>(moments))), inputs, blockSize, groupSize, transform?.Words, settings, stripUnit);
        Entry entry;
        lock (recent)
        {
            entry = recent.Find(known => known.Key == key) ?? new(key);
            recent.Remove(entry);
            recent.Add(entry);
        }

        FeedbackFactor factor;
        lock (entry)
        {
            factor = entry.Factor ??= new(transform?.Apply() ?? moments, inputs, blockSize, groupSize, settings, cancellationToken, stripUnit);
        }

        lock (recent)
        {
            while (recent.Sum(known => known.Factor?.Bytes ?? 0) > maxBytes)
            {
                recent.RemoveAt(0);
            }
        }

        return factor;
    }

    /// <summary>Keeps none any longer.</summary>
    public void Clear()
    {
        lock (recent)
        {
            recent.Clear();
        }
    }

    private sealed record Key(string Moments, int Inputs, int BlockSize, int GroupSize, string? Transform, FeedbackSettings Settings, int StripUnit);

    private sealed class Entry(Key key)
    {
        public Key Key => key;

        public FeedbackFactor? Factor { get; set; }
    }
}
