using Compress.Core.Models;
using Compress.Runtime;

namespace Compress.Core.Reports.Html;

/// <summary>How often values fall into each of equally wide bins.</summary>
/// <param name="Min">Where the first bin begins.</param>
/// <param name="Max">Where the last one ends.</param>
/// <param name="Counts">The bins.</param>
public sealed record Histogram(float Min, float Max, IReadOnlyList<long> Counts)
{
    private const int Bins = 64;

    // Rows are taken evenly from larger layers: a picture needs no more.
    private const int MaxWeights = 1 << 20;

    /// <summary>The weights of a layer, and the errors (packed minus source) of its packed form.</summary>
    /// <param name="source">The layer.</param>
    /// <param name="packed">Its packed form.</param>
    public static (Histogram Weights, Histogram Errors) Of(WeightMatrix source, PackedTensor packed)
    {
        int columns = source.Columns;
        int rows = Math.Clamp(MaxWeights / Math.Max(columns, 1), Math.Min(1, source.Rows), source.Rows);
        float[] weights = new float[checked(rows * columns)], errors = new float[weights.Length];
        for (int row = 0; row < rows; row++)
        {
            int taken = (int)((long)row * source.Rows / rows);
            var place = weights.AsSpan(row * columns, columns);
            source.ReadRows(taken, 1, place);
            var difference = errors.AsSpan(row * columns, columns);
            packed.DequantizeRows(taken, 1, difference);
            for (int i = 0; i < columns; i++)
            {
                difference[i] -= place[i];
            }
        }

        return (Of(weights), Of(errors));
    }

    private static Histogram Of(ReadOnlySpan<float> values)
    {
        float min = float.PositiveInfinity, max = float.NegativeInfinity;
        foreach (float value in values)
        {
            if (float.IsFinite(value))
            {
                (min, max) = (Math.Min(min, value), Math.Max(max, value));
            }
        }

        long[] counts = new long[Bins];
        if (!(min <= max))
        {
            return new(0, 0, counts);
        }

        double scale = max > min ? Bins / ((double)max - min) : 0;
        foreach (float value in values)
        {
            if (float.IsFinite(value))
            {
                counts[Math.Min((int)((value - (double)min) * scale), Bins - 1)]++;
            }
        }

        return new(min, max, counts);
    }
}
