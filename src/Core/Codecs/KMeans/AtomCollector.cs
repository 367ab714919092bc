namespace Compress.Core.Codecs.KMeans;

/// <summary>Points of the line, each for all weights that have its value, or nearly so.</summary>
/// <param name="Values">Ascending.</param>
/// <param name="Masses">What the squared errors of all its weights are multiplied by, together; positive.</param>
internal sealed record Atoms(double[] Values, double[] Masses);

/// <summary>
/// Gathers the weights that share values. Up to <see cref="ExactCount"/> of them are clustered as they are. Of more, those that agree in sign, exponent and the ten highest bits of the mantissa
/// become one point at their mean: half precision weights stay what they are, others move by less than a thousandth of themselves, and time and memory do not grow with the matrix.
/// </summary>
internal sealed class AtomCollector
{
    /// <summary>The most weights that are clustered one by one.</summary>
    public const int ExactCount = 1 << 15;

    private const int BinShift = 13, Bins = 1 << (32 - BinShift);

    private readonly bool exact;
    private readonly double[] masses, values; // of bins in the order of their values, or of weights; values of bins are times their masses until they are taken
    private long count, zeros;
    private double zeroMass;

    /// <param name="capacity">The most weights that are added before <see cref="Take"/>.</param>
    public AtomCollector(long capacity)
    {
        exact = capacity <= ExactCount;
        int places = exact ? (int)capacity : Bins;
        (masses, values) = (new double[places], new double[places]);
    }

    /// <summary>Adds weights.</summary>
    /// <param name="weights">Finite.</param>
    /// <param name="errorWeights">One for each; positive.</param>
    public void Add(ReadOnlySpan<float> weights, ReadOnlySpan<double> errorWeights)
    {
        for (int i = 0; i < weights.Length; i++)
        {
            long index = count++;
            if (weights[i] == 0)
            {
                zeros++;
                zeroMass += errorWeights[i];
                continue;
            }

            long place = exact ? index : Bin(weights[i]);
            masses[place] += errorWeights[i];
            values[place] += exact ? weights[i] : weights[i] * errorWeights[i];
        }
    }

    /// <summary>The points of all weights added, and an empty collector.</summary>
    /// <param name="shared">How many values they share.</param>
    /// <param name="keepsZero">True if as many weights are zero as a value has on average: then zero is a value, and no point.</param>
    public Atoms Take(int shared, out bool keepsZero)
    {
        keepsZero = zeros > 0 && zeros * shared >= count;
        var points = new List<(double Value, double Mass)>();
        if (zeros > 0 && !keepsZero)
        {
            points.Add((0, zeroMass));
        }

        for (int place = 0; place < masses.Length; place++)
        {
            if (masses[place] > 0)
            {
                points.Add((exact ? values[place] : values[place] / masses[place], masses[place]));
            }
        }

        // By mass too, so that the order of equal values, and with it the last bit of sums, is one.
        points.Sort();
        Array.Clear(masses);
        Array.Clear(values);
        (count, zeros, zeroMass) = (0, 0, 0);
        return new([.. points.Select(point => point.Value)], [.. points.Select(point => point.Mass)]);
    }

    private static int Bin(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (int)(((bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000) >> BinShift);
    }
}
