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

    /// <summary>Multiplies the columns of a row from <paramref name="column"/> on by their signs.</summary>
    public static void Flip(Span<float> row, ulong seed, int column)
    {
        for (; column < row.Length; column++)
        {
            uint sign = (uint)(Word(seed, column / 64) >> (column % 64)) << 31;
            row[column] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(row[column]) ^ sign);
        }
    }
}
