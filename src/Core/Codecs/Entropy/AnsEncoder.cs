using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Entropy;

namespace Compress.Core.Codecs.Entropy;

/// <summary>
/// Writes rows of codes as <see cref="CodedRows"/> has them, by asymmetric numeral systems (Duda, arXiv 1311.2540). All of it is integers: the same bytes everywhere.
/// </summary>
internal static class AnsEncoder
{
    /// <summary>The stream.</summary>
    /// <param name="packed">The rows of codes, in their layout.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="codesPerRow">Codes of a row.</param>
    /// <param name="n">Values of a code.</param>
    /// <returns>Null if such codes cannot be coded.</returns>
    public static byte[]? Encode(ReadOnlySpan<byte> packed, int rows, int codesPerRow, int n)
    {
        var coded = new CodedRows(rows, codesPerRow, n);
        if (!coded.Fits)
        {
            return null;
        }

        byte[] codes = Unpack(packed, rows, codesPerRow, CodeLayout.Of(n));
        ushort[] frequencies = Frequencies(codes, n);
        ushort[] firstSlots = new ushort[n];
        for (int code = 1; code < n; code++)
        {
            firstSlots[code] = (ushort)(firstSlots[code - 1] + frequencies[code - 1]);
        }

        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        Array.ForEach(frequencies, writer.Write);
        int blockCodes = coded.BlockRows * codesPerRow;
        uint[][] states = new uint[coded.Blocks][];
        var words = new ushort[coded.Blocks][];
        for (int block = 0; block < states.Length; block++)
        {
            states[block] = new uint[coded.Lanes];
            words[block] = Block(codes.AsSpan(block * blockCodes, Math.Min(blockCodes, codes.Length - (block * blockCodes))), frequencies, firstSlots, states[block]);
            writer.Write(words[block].Length);
        }

        for (int block = 0; block < states.Length; block++)
        {
            Array.ForEach(states[block], writer.Write);
            Array.ForEach(words[block], writer.Write);
        }

        return stream.ToArray();
    }

    /// <summary>Slots in proportion to how often codes occur: one at least for each that does, 4096 together.</summary>
    internal static ushort[] Frequencies(ReadOnlySpan<byte> codes, int n)
    {
        long[] counts = new long[n];
        foreach (byte code in codes)
        {
            counts[code]++;
        }

        long all = codes.Length;
        ushort[] slots = [.. counts.Select(count => (ushort)(count == 0 ? 0 : Math.Max(1, count * AnsTable.Scale / all)))];
        for (int rest = AnsTable.Scale - slots.Sum(slot => slot); rest != 0; rest -= Math.Sign(rest))
        {
            // To the code that saves the most bits by one more slot, from the one that loses the least by one fewer.
            int best = -1, step = Math.Sign(rest);
            for (int code = 0; code < n; code++)
            {
                if (counts[code] == 0 || (rest < 0 && slots[code] == 1))
                {
                    continue;
                }

                best = best < 0 || (step > 0 ? Change(code) > Change(best) : Change(code) < Change(best)) ? code : best;
            }

            slots[best] = (ushort)(slots[best] + step);

            // Of all bits, but for a factor: the logarithm's slope half way.
            double Change(int code) => counts[code] / ((2.0 * slots[code]) + step);
        }

        return slots;
    }

    private static byte[] Unpack(ReadOnlySpan<byte> packed, int rows, int codesPerRow, CodeLayout layout)
    {
        int rowBytes = (int)layout.RowBytes(codesPerRow);
        byte[] codes = new byte[rows * codesPerRow];
        ushort[] row = new ushort[codesPerRow];
        for (int r = 0; r < rows; r++)
        {
            layout.Unpack(packed.Slice(r * rowBytes, rowBytes), row);
            for (int i = 0; i < codesPerRow; i++)
            {
                codes[(r * codesPerRow) + i] = (byte)row[i];
            }
        }

        return codes;
    }

    // From the last code to the first: a decoder gives back in the other order what was put in.
    private static ushort[] Block(ReadOnlySpan<byte> codes, ushort[] frequencies, ushort[] firstSlots, uint[] states)
    {
        Array.Fill(states, AnsTable.LowerBound);
        var words = new List<ushort>(codes.Length / 2);
        for (int i = codes.Length - 1; i >= 0; i--)
        {
            uint frequency = frequencies[codes[i]], state = states[i % states.Length];
            if (state >= (ulong)frequency << (32 - AnsTable.ScaleBits))
            {
                words.Add((ushort)state);
                state >>= 16;
            }

            states[i % states.Length] = ((state / frequency) << AnsTable.ScaleBits) + (state % frequency) + firstSlots[codes[i]];
        }

        words.Reverse();
        return [.. words];
    }
}
