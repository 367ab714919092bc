using System.Numerics;
using System.Text.Json.Nodes;
using Compress.Core.Pruning;
using Compress.Runtime.Codecs.Sparse;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Sparse;

/// <summary>Writes which weights are kept in the layout that takes the fewest bytes; docs/format.md has them.</summary>
internal static class MaskWriter
{
    /// <summary>Writes the mask.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="pattern">How many of how many neighbours are kept, if it is so.</param>
    /// <param name="parameters">Receives the layout and its parameters.</param>
    public static EncodedPart Write(PrunedMatrix matrix, (int Keep, int Of)? pattern, JsonObject parameters)
    {
        var combinations = pattern is var (keep, of) && HasPattern(matrix, keep, of) ? new Combinations(keep, of) : null;
        var (rice, gapBits) = BestRice(matrix);
        long bitmap = matrix.Mask.LongLength, gaps = (gapBits + 7) / 8, groups = combinations is null ? long.MaxValue : ((matrix.Count / combinations.Of * combinations.Bits) + 7) / 8;
        byte[] bytes;
        if (groups < bitmap && groups <= gaps)
        {
            (parameters["layout"], parameters["keep"], parameters["of"]) = (MaskReader.Pattern, combinations!.Kept, combinations.Of);
            bytes = Pattern(matrix, combinations);
        }
        else if (gaps < bitmap && matrix.Rows <= MaskReader.MaxRowsPerByte * gaps)
        {
            (parameters["layout"], parameters["rice"]) = (MaskReader.Gaps, rice);
            bytes = Gaps(matrix, rice);
        }
        else
        {
            parameters["layout"] = MaskReader.Bitmap;
            bytes = matrix.Mask;
        }

        return new("mask", DType.U8, [bytes.Length], bytes);
    }

    private static bool HasPattern(PrunedMatrix matrix, int keep, int of)
    {
        for (long first = 0; first < matrix.Count; first += of)
        {
            if (matrix.Columns % of != 0 || BitOperations.PopCount(Places(matrix, first, of)) != keep)
            {
                return false;
            }
        }

        return true;
    }

    private static uint Places(PrunedMatrix matrix, long first, int of)
    {
        uint places = 0;
        for (int i = 0; i < of; i++)
        {
            places |= matrix.Keeps(first + i) ? 1u << i : 0;
        }

        return places;
    }

    private static byte[] Pattern(PrunedMatrix matrix, Combinations combinations)
    {
        var writer = new BitWriter();
        for (long first = 0; first < matrix.Count; first += combinations.Of)
        {
            writer.Write(combinations.NumberOf(Places(matrix, first, combinations.Of)), combinations.Bits);
        }

        return writer.ToArray();
    }

    private static (int Rice, long Bits) BestRice(PrunedMatrix matrix)
    {
        long[] bits = new long[MaskReader.MaxRice + 1];
        bits[0] = long.MaxValue; // a bitmap, and one bit
        foreach (long gap in GapsOf(matrix))
        {
            for (int rice = 1; rice < bits.Length; rice++)
            {
                bits[rice] += (gap >> rice) + 1 + rice;
            }
        }

        int best = Array.IndexOf(bits, bits.Min());
        return (best, bits[best]);
    }

    private static byte[] Gaps(PrunedMatrix matrix, int rice)
    {
        var writer = new BitWriter();
        foreach (long gap in GapsOf(matrix))
        {
            writer.WriteUnary(gap >> rice);
            writer.Write((uint)(gap & ((1 << rice) - 1)), rice);
        }

        return writer.ToArray();
    }

    // Pruned weights before each that is kept; and those after the last.
    private static IEnumerable<long> GapsOf(PrunedMatrix matrix)
    {
        long next = 0;
        for (long at = 0; at < matrix.Mask.LongLength; at++)
        {
            for (int bits = matrix.Mask[at]; bits != 0; bits &= bits - 1)
            {
                long place = (8 * at) + BitOperations.TrailingZeroCount(bits);
                yield return place - next;
                next = place + 1;
            }
        }

        yield return matrix.Count - next;
    }
}
