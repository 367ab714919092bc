using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Core.Codecs.Uniform;

/// <summary>The range of some weights, zero included: so the zero point is one of the codes, and zero is exact.</summary>
/// <param name="Low">The least weight; 0 if all are positive.</param>
/// <param name="High">The greatest weight; 0 if all are negative.</param>
internal readonly record struct ValueRange(float Low, float High)
{
    /// <summary>The greatest magnitude.</summary>
    public float Magnitude => Math.Max(-Low, High);

    /// <summary>The range extended to more weights.</summary>
    public ValueRange With(ReadOnlySpan<float> values)
    {
        var (low, high) = (Low, High);
        if (values.Length >= Vector256<float>.Count)
        {
            // The last vector overlaps the one before it.
            var (lows, highs) = (Vector256<float>.Zero, Vector256<float>.Zero);
            ref float source = ref MemoryMarshal.GetReference(values);
            nuint last = (nuint)(values.Length - Vector256<float>.Count);
            for (nuint i = 0; i < last; i += (nuint)Vector256<float>.Count)
            {
                var v = Vector256.LoadUnsafe(ref source, i);
                (lows, highs) = (Vector256.Min(lows, v), Vector256.Max(highs, v));
            }

            var end = Vector256.LoadUnsafe(ref source, last);
            (lows, highs) = (Vector256.Min(lows, end), Vector256.Max(highs, end));
            for (int lane = 0; lane < Vector256<float>.Count; lane++)
            {
                (low, high) = (Math.Min(low, lows[lane]), Math.Max(high, highs[lane]));
            }
        }
        else
        {
            foreach (float value in values)
            {
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
            }
        }

        return new(low, high);
    }

    /// <summary>The range narrowed about zero.</summary>
    public ValueRange Times(float factor) => new(Low * factor, High * factor);
}
