using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Compress.Core.Numerics;

namespace Compress.Core.Codecs.Uniform;

/// <summary>
/// The evenly spaced levels <c>scale (q − zero)</c>, q = 0 … <paramref name="last"/>, of weights that have been multiplied by
/// <paramref name="unit"/>, an exact power of two that keeps tiny and huge weights in the range of floats.
/// </summary>
internal readonly struct Lattice(float unit, float scale, int zero, int last)
{
    /// <summary>Values are taken so many at a time; groups are multiples of it but for the end of a row.</summary>
    public const int Step = 16;

    // Adding it leaves a small number, rounded to the nearest integer (ties to even), in the low bits.
    private const float Rounding = 1 << 23;

    private readonly float inverse = scale == 0 ? 0 : 1 / scale;

    /// <summary>The nearest levels.</summary>
    /// <param name="values">Any length.</param>
    /// <param name="codes">As long.</param>
    public void Quantize(ReadOnlySpan<float> values, Span<byte> codes)
    {
        int whole = values.Length / Step * Step;
        QuantizeSteps(values[..whole], codes);
        if (whole < values.Length)
        {
            Span<float> padded = stackalloc float[Step];
            Span<byte> paddedCodes = stackalloc byte[Step];
            padded.Clear();
            values[whole..].CopyTo(padded);
            QuantizeSteps(padded, paddedCodes);
            paddedCodes[..(values.Length - whole)].CopyTo(codes[whole..]);
        }
    }

    /// <summary>The nearest level.</summary>
    /// <param name="value">Any value.</param>
    /// <param name="level">The level as it is decoded.</param>
    /// <returns>Its code.</returns>
    public byte Quantize(float value, out double level)
    {
        float place = (value * unit * inverse) + zero;
        float code = MathF.Min(MathF.Max(place, 0), last) + Rounding - Rounding;
        level = (double)((code - zero) * scale) / unit;
        return (byte)code;
    }

    /// <summary>Σ (value − nearest level)², of the values in the lattice's unit; element i is added to lane i mod 8.</summary>
    public float SquaredError(ReadOnlySpan<float> values)
    {
        var sum = Vector256<float>.Zero;
        int whole = values.Length / Vector256<float>.Count * Vector256<float>.Count;
        for (int i = 0; i < whole; i += Vector256<float>.Count)
        {
            var error = Error(Vector256.Create(values[i..]));
            sum += error * error;
        }

        if (whole < values.Length)
        {
            // Zero is a level: filling up adds nothing.
            Span<float> padded = stackalloc float[Vector256<float>.Count];
            padded.Clear();
            values[whole..].CopyTo(padded);
            var error = Error(Vector256.Create<float>(padded));
            sum += error * error;
        }

        return FixedOrder.Sum(sum);
    }

    private void QuantizeSteps(ReadOnlySpan<float> values, Span<byte> codes)
    {
        ref float source = ref MemoryMarshal.GetReference(values);
        ref byte destination = ref MemoryMarshal.GetReference(codes[..values.Length]);
        for (nuint i = 0; i < (nuint)values.Length; i += Step)
        {
            var low = Rounded(Vector256.LoadUnsafe(ref source, i)).AsUInt32() & Vector256.Create(0xFFu);
            var high = Rounded(Vector256.LoadUnsafe(ref source, i + 8)).AsUInt32() & Vector256.Create(0xFFu);
            var words = Vector256.Narrow(low, high);
            Vector128.Narrow(words.GetLower(), words.GetUpper()).StoreUnsafe(ref destination, i);
        }
    }

    private Vector256<float> Error(Vector256<float> values)
    {
        var level = (Rounded(values) - Vector256.Create(Rounding + zero)) * scale;
        return level - (values * unit);
    }

    /// <summary>The code plus <see cref="Rounding"/>. The native operations differ between processors for NaN only.</summary>
    private Vector256<float> Rounded(Vector256<float> values)
    {
        var place = (values * unit * inverse) + Vector256.Create((float)zero);
        return Vector256.MinNative(Vector256.MaxNative(place, Vector256<float>.Zero), Vector256.Create((float)last)) + Vector256.Create(Rounding);
    }
}
