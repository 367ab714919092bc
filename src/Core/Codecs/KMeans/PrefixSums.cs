namespace Compress.Core.Codecs.KMeans;

/// <summary>
/// Mass, mean and squared error of any run of points, in constant time. Sums count from the middle point outwards, and values from its value,
/// so that a huge outlier at either end leaves the others their precision.
/// </summary>
internal sealed class PrefixSums
{
    private readonly double middle;
    private readonly double[] mass, first, second;

    public PrefixSums(Atoms atoms)
    {
        int count = atoms.Values.Length, centre = count / 2;
        middle = count == 0 ? 0 : atoms.Values[centre];
        (mass, first, second) = (new double[count + 1], new double[count + 1], new double[count + 1]);
        for (int i = centre; i < count; i++)
        {
            double m = atoms.Masses[i], x = atoms.Values[i] - middle;
            (mass[i + 1], first[i + 1], second[i + 1]) = (mass[i] + m, first[i] + (m * x), second[i] + (m * x * x));
        }

        for (int i = centre - 1; i >= 0; i--)
        {
            double m = atoms.Masses[i], x = atoms.Values[i] - middle;
            (mass[i], first[i], second[i]) = (mass[i + 1] - m, first[i + 1] - (m * x), second[i + 1] - (m * x * x));
        }
    }

    /// <summary>The weighted mean of the points from <paramref name="start"/> up to, not including, <paramref name="end"/>.</summary>
    public double Mean(int start, int end) => middle + ((first[end] - first[start]) / (mass[end] - mass[start]));

    /// <summary>The weighted sum of their squared distances from their mean.</summary>
    public double Error(int start, int end)
    {
        double sum = first[end] - first[start];
        return Math.Max(0, second[end] - second[start] - (sum * sum / (mass[end] - mass[start])));
    }
}
