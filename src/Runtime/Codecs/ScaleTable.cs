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

    /// <summary>Takes the parts <c>scales</c> and <c>scaleExponent</c>.</summary>
    public ScaleTable(PackedParts parts, long count)
    {
        halves = parts.Part("scales", Safetensors.DType.F16, count);
        unit = MathF.ScaleB(1, parts.Int("scaleExponent", MinExponent, MaxExponent));
    }

    /// <summary>Reads <c>scales.Length</c> scales from index <paramref name="first"/>.</summary>
    public void Read(long first, Span<float> scales)
    {
        var stored = halves.Slice<Half>(first, scales.Length);
        for (int i = 0; i < scales.Length; i++)
        {
            scales[i] = (float)stored[i] * unit;
        }
    }
}
