namespace Compress.Core.Codecs.KMeans;

/// <summary>
/// The clusters of points of the line with the least weighted squared error of all. They are runs of neighbours, so that dynamic programming finds them (Wang and Song, The R Journal 3:2, 2011):
/// the best k runs of the first j points are the best k − 1 of the first i and the run from i on. The best i does not fall as j grows, so that each k takes O(n log n) by halving.
/// </summary>
internal static class OptimalClustering
{
    /// <summary>The means of the clusters, ascending; as many as there are points, if those are fewer.</summary>
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

        var sums = new PrefixSums(atoms);
        double[] least = new double[count + 1], next = new double[count + 1]; // of the first j points
        for (int end = 1; end <= count; end++)
        {
            least[end] = sums.Error(0, end);
        }

        // Where the last of k + 1 runs of the first j points begins.
        int[][] begins = new int[clusters][];
        for (int k = 1; k < clusters; k++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            begins[k] = new int[count + 1];
            new Step(sums, least, next, begins[k]).Solve(k + 1, count, k, count - 1);
            (least, next) = (next, least);
        }

        double[] centres = new double[clusters];
        for (int k = clusters - 1, end = count; k >= 0; k--)
        {
            int begin = k == 0 ? 0 : begins[k][end];
            centres[k] = sums.Mean(begin, end);
            end = begin;
        }

        return centres;
    }

    /// <summary>From the best k runs to the best k + 1.</summary>
    private readonly struct Step(PrefixSums sums, double[] least, double[] next, int[] begins)
    {
        /// <summary>For all ends from <paramref name="low"/> to <paramref name="high"/>, whose last run begins from <paramref name="from"/> to <paramref name="to"/>.</summary>
        public void Solve(int low, int high, int from, int to)
        {
            while (low <= high)
            {
                int end = low + ((high - low) / 2), best = from;
                double error = double.PositiveInfinity;
                for (int begin = from; begin <= Math.Min(to, end - 1); begin++)
                {
                    double candidate = least[begin] + sums.Error(begin, end);
                    if (candidate < error)
                    {
                        (error, best) = (candidate, begin);
                    }
                }

                (next[end], begins[end]) = (error, best);
                Solve(low, end - 1, from, best);
                (low, from) = (end + 1, best);
            }
        }
    }
}
