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
            // The last vector overlaps the one before it. The native operations differ between processors for NaN and the sign of
            // zero only, which is of no consequence here.
            var (lows, highs) = (Vector256<float>.Zero, Vector256<float>.Zero);
            ref float source = ref MemoryMarshal.GetReference(values);
            nuint last = (nuint)(values.Length - Vector256<float>.Count);
            for (nuint i = 0; i < last; i += (nuint)Vector256<float>.Count)
            {
                var v = Vector256.LoadUnsafe(ref source, i);
                (lows, highs) = (Vector256.MinNative(lows, v), Vector256.MaxNative(highs, v));
            }

            var end = Vector256.LoadUnsafe(ref source, last);
            (lows, highs) = (Vector256.MinNative(lows, end), Vector256.MaxNative(highs, end));
            (low, high) = (Math.Min(low, Least(lows)), Math.Max(high, -Least(-highs)));
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

    private static float Least(Vector256<float> lanes)
    {
        var four = Vector128.MinNative(lanes.GetLower(), lanes.GetUpper());
        var two = Vector128.MinNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MinNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }
}
