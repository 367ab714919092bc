using Compress.Core.Codecs;
using Compress.Core.Models;

namespace Compress.Core.Pruning;

/// <summary>
/// The least magnitude that is kept when the greatest so many are. The bits of a positive float order it: the upper 16 bits of all magnitudes are counted, then the lower ones of those
/// whose upper bits are the threshold's. So matrices are read twice, and no more than the counts are in memory.
/// </summary>
internal static class MagnitudeThreshold
{
    private const int HalfBits = 16, Halves = 1 << HalfBits;

    /// <summary>Finds it.</summary>
    /// <param name="matrices">The weights.</param>
    /// <param name="kept">How many are kept, at least 1.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The threshold, and how many of the weights of just that magnitude are kept: there may be more.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static (float Threshold, long Equal) Of(IReadOnlyList<WeightMatrix> matrices, long kept, CancellationToken cancellationToken)
    {
        uint upper = Descend(Count(matrices, bits => (int)(bits >> HalfBits), cancellationToken), ref kept);
        uint lower = Descend(Count(matrices, bits => bits >> HalfBits == upper ? (int)(bits & (Halves - 1)) : -1, cancellationToken), ref kept);
        return (BitConverter.UInt32BitsToSingle((upper << HalfBits) | lower), kept);
    }

    // The bin that holds the last one kept; what is left is kept of that bin.
    private static uint Descend(long[] counts, ref long kept)
    {
        int bin = counts.Length - 1;
        while (bin > 0 && counts[bin] < kept)
        {
            kept -= counts[bin--];
        }

        return (uint)bin;
    }

    private static long[] Count(IReadOnlyList<WeightMatrix> matrices, Func<uint, int> binOf, CancellationToken cancellationToken)
    {
        long[] counts = new long[Halves];
        foreach (var matrix in matrices)
        {
            RowReader.ForEach(matrix, (_, values) =>
            {
                foreach (float value in values)
                {
                    int bin = binOf(BitConverter.SingleToUInt32Bits(Math.Abs(value)));
                    if (bin >= 0)
                    {
                        counts[bin]++;
                    }
                }
            }, cancellationToken);
        }

        return counts;
    }
}
