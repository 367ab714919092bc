using System.Runtime.Intrinsics;

namespace Compress.Runtime.Codecs;

/// <summary>
/// Scales stored as IEEE halves with one exponent for the whole tensor: scale = half · 2^exponent, in float arithmetic.
/// The exponent lets tiny and huge weights use the full precision of a half.
/// </summary>
internal readonly struct ScaleTable
{
    /// <summary>The exponent of a float's smallest subnormal: every scale is a multiple of 2^−149.</summary>
    public const int MinExponent = -149;

    /// <summary>With it, halves below 2^15 reach the end of the range of floats.</summary>
    public const int MaxExponent = 113;

    private readonly ByteView halves;
    private readonly float unit;

    /// <summary>Takes the part <c>scales</c> and the parameter <c>scaleExponent</c>, or others that hold numbers in the same form.</summary>
    public ScaleTable(PackedParts parts, long count, string part = "scales", string exponent = "scaleExponent")
    {
        halves = parts.Part(part, Safetensors.DType.F16, count);
        unit = MathF.ScaleB(1, parts.Int(exponent, MinExponent, MaxExponent));
    }

    private ScaleTable(ByteView halves, float unit) => (this.halves, this.unit) = (halves, unit);

    /// <summary>The scales from an index on.</summary>
    public ScaleTable From(long first) => new(halves.From(2 * first), unit);

    /// <summary>Reads <c>scales.Length</c> scales from index <paramref name="first"/>.</summary>
    public void Read(long first, Span<float> scales)
    {
        var stored = halves.Slice<ushort>(first, scales.Length);
        int i = 0;
        for (; i <= scales.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            var (lower, upper) = Vector256.Widen(Vector256.Create(stored[i..]));
            ToFloats(lower).CopyTo(scales[i..]);
            ToFloats(upper).CopyTo(scales[(i + Vector256<uint>.Count)..]);
        }

        for (; i < scales.Length; i++)
        {
            scales[i] = ToFloats(Vector256.CreateScalar((uint)stored[i])).ToScalar();
        }
    }

    /// <summary>
    /// Halves as floats times the unit. Exponent and mantissa, moved to their place in a float, are the value times 2^−112, subnormals
    /// too; the first multiplication is exact. Infinities do not occur.
    /// </summary>
    private Vector256<float> ToFloats(Vector256<uint> half)
    {
        var magnitude = ((half & Vector256.Create(0x7FFFu)) << 13).AsSingle() * 5.192296858534828e33f;
        return (magnitude.AsUInt32() | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle() * unit;
    }
}
