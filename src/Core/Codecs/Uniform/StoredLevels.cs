namespace Compress.Core.Codecs.Uniform;

/// <summary>The levels as a decoder sees them, in the unit of the stored halves.</summary>
internal sealed class StoredLevels
{
    private readonly byte[] zeros;
    private readonly Lattice[] lattices;

    public StoredLevels(Levels levels, ScaleWriter scales, ValueRange[] ranges)
    {
        // Where the unit's power of two is no float, the halves make up for it.
        int power = Math.Clamp(scales.Exponent, -126, 126);
        float unit = MathF.ScaleB(1, -power), halfUnit = MathF.ScaleB(1, scales.Exponent - power);
        (zeros, lattices) = (new byte[ranges.Length], new Lattice[ranges.Length]);
        for (int i = 0; i < zeros.Length; i++)
        {
            float scale = scales.Rounded[i] * halfUnit;
            zeros[i] = (byte)levels.Zero(ranges[i].Low * unit, scale);
            lattices[i] = new(unit, scale, zeros[i], levels.Last);
        }
    }

    /// <summary>The codes of zero, one for each scale.</summary>
    public ReadOnlySpan<byte> Zeros => zeros;

    /// <summary>The levels of each scale.</summary>
    public ReadOnlySpan<Lattice> Lattices => lattices;
}
