namespace Compress.Core.Codecs.KMeans;

/// <summary>
/// Lloyd's algorithm from values evenly spaced between the least and the greatest weight (Deep Compression, Han et al., ICLR 2016, arXiv 1510.00149, §3.2: linear initialisation,
/// which keeps values near the few large weights). It ends in clusters that no single step improves, not always the best.
/// </summary>
internal static class LloydClustering
{
    private const int MaxIterations = 300;

    /// <summary>The means of the clusters, ascending. A value that no point is nearest to stays where it began.</summary>
    /// <param name="atoms">The points.</param>
    /// <param name="clusters">How many clusters; at least one.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static double[] Centres(Atoms atoms, int clusters, CancellationToken cancellationToken)
    {
        int count = atoms.Values.Length;
        if (count <= clusters)
        {
            return atoms.Values;
        }

        double least = atoms.Values[0], range = atoms.Values[^1] - least;
        double[] centres = [.. Enumerable.Range(0, clusters).Select(k => least + (range * (clusters == 1 ? 0.5 : k / (clusters - 1.0))))];
        var sums = new PrefixSums(atoms);
        bool moved = true;
        for (int iteration = 0; moved && iteration < MaxIterations; iteration++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            moved = false;
            double[] old = [.. centres];
            for (int k = 0, begin = 0; k < clusters; k++)
            {
                int end = k == clusters - 1 ? count : FirstBeyond(atoms.Values, 0.5 * (old[k] + old[k + 1]), begin);
                if (end > begin)
                {
                    double mean = sums.Mean(begin, end);
                    moved |= mean != centres[k];
                    centres[k] = mean;
                }

                begin = end;
            }
        }

        return centres;
    }

    private static int FirstBeyond(double[] values, double boundary, int from)
    {
        int low = from, high = values.Length;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = values[middle] > boundary ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
