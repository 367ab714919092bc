using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Compress.Runtime.Codecs.Sparse;

/// <summary>Spreads values over the set bits of a bitmap.</summary>
internal static class Expansion
{
    /// <summary>Floats that must be readable after the values.</summary>
    public const int Padding = 8;

    // For each byte, and each of its bits, how many bits below it are set; −1 if it is not set itself.
    private static readonly int[] Places = MakePlaces();

    /// <summary>Writes the next value where a bit is set, and zero where it is not.</summary>
    /// <param name="bits">The bits, from the lowest of each byte.</param>
    /// <param name="skip">Bits of the first byte that are not of the line.</param>
    /// <param name="values">As many as bits are set, and <see cref="Padding"/> more.</param>
    /// <param name="line">A float for each bit.</param>
    /// <param name="vectors">False to do without vectors.</param>
    public static void Expand(ReadOnlySpan<byte> bits, int skip, ReadOnlySpan<float> values, Span<float> line, bool vectors)
    {
        int done = 0, used = 0;
        if (vectors && Vector256.IsHardwareAccelerated)
        {
            ref float from = ref MemoryMarshal.GetReference(values), to = ref MemoryMarshal.GetReference(line);
            ref int places = ref MemoryMarshal.GetArrayDataReference(Places);
            for (; done <= line.Length - 8; done += 8)
            {
                int at = done / 8, set = bits[at] >> skip;
                set = skip == 0 ? set : (set | (bits[at + 1] << (8 - skip))) & 0xFF;
                var place = Vector256.LoadUnsafe(ref places, (nuint)(set * 8));
                var spread = Vector256.ShuffleNative(Vector256.LoadUnsafe(ref from, (nuint)used), place);
                Vector256.AndNot(spread, (place >> 31).AsSingle()).StoreUnsafe(ref to, (nuint)done);
                used += BitOperations.PopCount((uint)set);
            }
        }

        for (; done < line.Length; done++)
        {
            int bit = done + skip;
            line[done] = (bits[bit / 8] >> (bit % 8) & 1) == 0 ? 0 : values[used++];
        }
    }

    private static int[] MakePlaces()
    {
        int[] places = new int[256 * 8];
        for (int set = 0; set < 256; set++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                places[(set * 8) + bit] = (set >> bit & 1) == 0 ? -1 : BitOperations.PopCount((uint)(set & ((1 << bit) - 1)));
            }
        }

        return places;
    }
}
