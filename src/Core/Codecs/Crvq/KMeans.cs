using Compress.Runtime;
using Compress.Runtime.Numerics;

namespace Compress.Core.Codecs.Crvq;

/// <summary>Lloyd's algorithm on the groups of a matrix's rows. Begins with vectors drawn evenly; an empty cluster takes the vector that is worst off.</summary>
internal static class KMeans
{
    private const int MaxIterations = 40;

    // Vectors of a cluster, on average, that it is trained on.
    private const int SampleOfEach = 256;

    // Fixed parts of the sample, so that sums do not depend on threads.
    private const int Parts = 16;

    /// <summary>Finds centroids.</summary>
    /// <param name="values">The matrix: rows of <paramref name="stride"/> floats.</param>
    /// <param name="stride">From one row to the next.</param>
    /// <param name="rows">The rows that count.</param>
    /// <param name="groups">The groups of each that count: the first ones.</param>
    /// <param name="groupSize">Columns of a group.</param>
    /// <param name="count">Centroids.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns><c>[count, groupSize]</c>; zeros if there are no vectors.</returns>
    public static float[] Fit(float[] values, int stride, int[] rows, int groups, int groupSize, int count, CancellationToken cancellationToken)
    {
        float[] centroids = new float[count * groupSize];
        long all = (long)rows.Length * groups;
        if (all == 0)
        {
            return centroids;
        }

        int size = (int)Math.Min(all, (long)count * SampleOfEach);
        float[] sample = new float[size * groupSize];
        for (int i = 0; i < size; i++)
        {
            long vector = Drawn(i, size, all);
            values.AsSpan((rows[vector / groups] * stride) + ((int)(vector % groups) * groupSize), groupSize).CopyTo(sample.AsSpan(i * groupSize));
        }

        for (int i = 0; i < count; i++)
        {
            int vector = (int)Drawn(i, count, size);
            sample.AsSpan(vector * groupSize, groupSize).CopyTo(centroids.AsSpan(i * groupSize));
        }

        float[] distances = new float[size];
        double previous = double.PositiveInfinity;
        for (int iteration = 0; iteration < MaxIterations; iteration++)
        {
            double error = Improve(sample, centroids, groupSize, distances, cancellationToken);
            if (error >= 0.9995 * previous)
            {
                break;
            }

            previous = error;
        }

        return centroids;
    }

    // One of each of n even parts of what there is.
    private static long Drawn(int index, int n, long all)
    {
        long from = index * all / n, to = (index + 1) * all / n;
        return to <= from ? Math.Min(from, all - 1) : from + (long)(Signs.Word(0, index) % (ulong)(to - from));
    }

    // The error before.
    private static double Improve(float[] sample, float[] centroids, int groupSize, float[] distances, CancellationToken cancellationToken)
    {
        int size = distances.Length, count = centroids.Length / groupSize;
        var book = new VectorBook(centroids, groupSize);
        float[] norms = new float[book.Padded];
        book.Norms(Identity(groupSize), norms);
        double[][] sums = new double[Parts][];
        Parallel.For(0, Parts, new ParallelOptions { MaxDegreeOfParallelism = RuntimeOptions.MaxThreads, CancellationToken = cancellationToken }, part =>
        {
            double[] sum = sums[part] = new double[count * (groupSize + 1)];
            for (int i = (int)((long)part * size / Parts); i < (int)((part + 1L) * size / Parts); i++)
            {
                var vector = sample.AsSpan(i * groupSize, groupSize);
                int entry = book.Nearest(vector, 0.5f, norms);
                float distance = 0;
                for (int k = 0; k < groupSize; k++)
                {
                    float difference = vector[k] - centroids[(entry * groupSize) + k];
                    distance += difference * difference;
                    sum[(entry * (groupSize + 1)) + k] += vector[k];
                }

                distances[i] = distance;
                sum[(entry * (groupSize + 1)) + groupSize]++;
            }
        });

        double error = 0;
        foreach (float distance in distances)
        {
            error += distance;
        }

        for (int entry = 0; entry < count; entry++)
        {
            double members = 0;
            for (int part = 0; part < Parts; part++)
            {
                members += sums[part][(entry * (groupSize + 1)) + groupSize];
            }

            for (int k = 0; k < groupSize && members > 0; k++)
            {
                double sum = 0;
                for (int part = 0; part < Parts; part++)
                {
                    sum += sums[part][(entry * (groupSize + 1)) + k];
                }

                centroids[(entry * groupSize) + k] = (float)(sum / members);
            }

            if (members == 0)
            {
                TakeWorst(sample, distances, centroids.AsSpan(entry * groupSize, groupSize));
            }
        }

        return error;
    }

    private static void TakeWorst(float[] sample, float[] distances, Span<float> centroid)
    {
        int worst = 0;
        for (int i = 1; i < distances.Length; i++)
        {
            worst = distances[i] > distances[worst] ? i : worst;
        }

        if (distances[worst] > 0)
        {
            sample.AsSpan(worst * centroid.Length, centroid.Length).CopyTo(centroid);
            distances[worst] = 0;
        }
    }

    /// <summary>The unit matrix.</summary>
    public static float[] Identity(int n)
    {
        float[] identity = new float[n * n];
        for (int i = 0; i < n; i++)
        {
            identity[(i * n) + i] = 1;
        }

        return identity;
    }
}
