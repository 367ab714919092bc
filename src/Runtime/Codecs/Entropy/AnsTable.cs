namespace Compress.Runtime.Codecs.Entropy;

/// <summary>
/// What a decoder of asymmetric numeral systems (Duda, arXiv 1311.2540; the range variant with static frequencies) looks up: for each of 4096 slots the code that owns it. A code that
/// owns f slots takes 12 − log2 f bits.
/// </summary>
internal sealed class AnsTable
{
    /// <summary>Values of a code at most: more would hardly be told apart by 4096 slots.</summary>
    public const int MaxCodes = 256;

    /// <summary>log2 of the number of slots.</summary>
    public const int ScaleBits = 12;

    /// <summary>Slots.</summary>
    public const int Scale = 1 << ScaleBits;

    /// <summary>A state below this takes up a word of 16 bits; all begin with it, so that a decoder ends with it.</summary>
    public const uint LowerBound = 1 << 16;

    private AnsTable(uint[] slots) => Slots = slots;

    /// <summary>Of each slot: the code; from bit 8 its number of slots less one; from bit 20 which of them it is.</summary>
    public uint[] Slots { get; }

    /// <summary>A table for codes that own so many slots each.</summary>
    /// <param name="frequencies">The first code's, and so on; at most <see cref="MaxCodes"/>.</param>
    /// <returns>Null if they are not <see cref="Scale"/> together.</returns>
    public static AnsTable? Create(ReadOnlySpan<ushort> frequencies)
    {
        uint[] slots = new uint[Scale];
        int slot = 0;
        for (int code = 0; code < frequencies.Length; code++)
        {
            if (frequencies[code] > Scale - slot)
            {
                return null;
            }

            for (uint offset = 0; offset < frequencies[code]; offset++)
            {
                slots[slot++] = (uint)code | ((frequencies[code] - 1u) << 8) | (offset << 20);
            }
        }

        return slot == Scale ? new(slots) : null;
    }
}
