namespace Compress.Runtime.Numerics;

/// <summary>
/// Random signs by counter: the sign of column j is bit j % 64 of word j / 64 of the SplitMix64 sequence
/// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014) that starts at the seed; 1 means −1.
/// They depend on seed and column alone, so layers that share an input share its signs.
/// </summary>
internal static class Signs
{
    /// <summary>Output number <paramref name="index"/> (0-based) of SplitMix64 with the given seed.</summary>
    public static ulong Word(ulong seed, int index)
    {
        ulong z = seed + (((ulong)index + 1) * 0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    /// <summary>Multiplies a row by its signs.</summary>
    public static void Flip(Span<float> row, ulong seed)
    {
        for (int start = 0; start < row.Length; start += 64)
        {
            ulong word = Word(seed, start / 64);
            var part = row.Slice(start, Math.Min(64, row.Length - start));
            for (int i = 0; i < part.Length; i++)
            {
                uint sign = (uint)(word >> i) << 31;
                part[i] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(part[i]) ^ sign);
            }
        }
    }
}
