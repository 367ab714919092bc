using System.Globalization;
using Compress.Core.Codecs.Higgs;
using Compress.Core.Numerics;

namespace Compress.Bench;

/// <summary>
/// Trains a grid of three or more dimensions, where no integral over a cell has a closed form: competitive learning (Pagès and Printems 2003), then
/// Lloyd's iteration on samples, few for a point at first and other ones in each step: the noise of their means leads out of bad arrangements, as
/// stochastic relaxation does (Zeger, Vaisey, Gersho 1992), and fades as they become more. Samples come from a counter, sums have a fixed
/// order, and logarithms and sines are our own: the same file everywhere, on any number of threads.
/// </summary>
internal static class SpaceTraining
{
    private const int ChunkVectors = 1 << 12, NoisySteps = 150, PlainSteps = 8;

    // Samples of a point in a step. A mean of k is off by the cell's error / k, which adds 1/k to the grid's.
    private const int LeastSamples = 30, MostSamples = 2000;

    // LeastSamples becomes MostSamples in NoisySteps.
    private const double Growth = 1.0284;

    /// <summary>The best points found, [n, p].</summary>
    /// <param name="p">The dimension.</param>
    /// <param name="n">The number of points.</param>
    /// <param name="starts">How often to begin anew.</param>
    public static double[] Run(int p, int n, int starts)
    {
        int chunks = Math.Max(1 << 20, MostSamples * n) / ChunkVectors;
        float[] samples = Samples(p, chunks, 0), others = Samples(p, (1 << 22) / ChunkVectors, 1);
        double[]? best = null;
        double bestError = double.PositiveInfinity;
        for (int start = 0; start < starts; start++)
        {
            double[] points = Warmup(p, n, (ulong)start);
            double wanted = (double)LeastSamples * n / ChunkVectors;
            for (int step = 0, next = 0; step < NoisySteps; step++, wanted *= Growth)
            {
                int count = Math.Clamp((int)wanted, 1, chunks);
                Sums.Over(points, p, samples, next, count).Move(points, 1);
                next = (next + count) % chunks;
            }

            for (int step = 0; step < PlainSteps; step++)
            {
                Sums.Over(points, p, samples, 0, chunks).Move(points, step < PlainSteps / 2 ? 1.5 : 1);
            }

            double error = Sums.Over(points, p, others, 0, others.Length / p / ChunkVectors).MeanSquaredError(points);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start {start}: MSE {error:F6} per weight"));
            (best, bestError) = error < bestError ? (points, error) : (best, bestError);
        }

        return best!;
    }

    /// <summary>Prints the error of a grid that Core embeds, on normal vectors, and how many points its search compares with one of them.</summary>
    public static void Measure(int p, int n)
    {
        const int Vectors = 1 << 22;
        var search = new SpaceSearch(Grid.Get(p, n).Points, p);
        float[] samples = Samples(p, Vectors / ChunkVectors, 2);
        double sum = 0, squares = 0, touched = 0;
        for (int i = 0; i < samples.Length; i += p)
        {
            var vector = samples.AsSpan(i, p);
            int point = search.Nearest(vector);
            double error = 0;
            for (int axis = 0; axis < p; axis++)
            {
                double difference = vector[axis] - search.Points[(point * p) + axis];
                error += difference * difference / p;
            }

            (sum, squares, touched) = (sum + error, squares + (error * error), touched + search.Touched(vector));
        }

        double mean = sum / Vectors, deviation = Math.Sqrt(((squares / Vectors) - (mean * mean)) / Vectors);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"p = {p}, n = {n}: MSE {mean:G5} ± {deviation:G1} per weight; {touched / Vectors:F1} points compared"));
    }

    private static float[] Samples(int p, int chunks, ulong seed)
    {
        float[] samples = new float[checked(chunks * ChunkVectors * p)];
        Parallel.For(0, chunks, chunk =>
        {
            double[] values = new double[ChunkVectors * p];
            Gaussian.Fill(values, seed, (ulong)chunk * (ulong)values.Length);
            for (int i = 0; i < values.Length; i++)
            {
                samples[(chunk * values.Length) + i] = (float)values[i];
            }
        });
        return samples;
    }

    /// <summary>Each draw pulls the nearest point towards it, less and less.</summary>
    private static double[] Warmup(int p, int n, ulong start)
    {
        double[] points = new double[n * p], vector = new double[p];
        Gaussian.Fill(points, start, 1UL << 40);
        double spread = Math.Sqrt((p + 2.0) / p); // the best density of points is N(0, (p+2)/p)
        for (int i = 0; i < points.Length; i++)
        {
            points[i] *= spread;
        }

        int draws = 100 * n;
        for (int draw = 0; draw < draws; draw++)
        {
            Gaussian.Fill(vector, start, (1UL << 41) + ((ulong)draw * 8));
            double nearest = double.PositiveInfinity;
            int winner = 0;
            for (int i = 0; i < points.Length; i += p)
            {
                double distance = 0;
                for (int axis = 0; axis < p && distance < nearest; axis++)
                {
                    double difference = points[i + axis] - vector[axis];
                    distance += difference * difference;
                }

                (winner, nearest) = distance < nearest ? (i, distance) : (winner, nearest);
            }

            double pull = 1 / (4 + ((double)draw / n));
            for (int axis = 0; axis < p; axis++)
            {
                points[winner + axis] += pull * (vector[axis] - points[winner + axis]);
            }
        }

        return points;
    }

    /// <summary>Sums of the samples of each cell.</summary>
    private sealed class Sums(int p, int n)
    {
        private readonly long[] count = new long[n];
        private readonly double[] moment = new double[n * p];
        private double energy;
        private long vectors;

        /// <summary>Counts chunks of samples, from the first again after the last, each with sums of its own that are added in their order.</summary>
        public static Sums Over(double[] points, int p, float[] samples, int firstChunk, int chunks)
        {
            // Points in their order of storage, as the search wants them.
            float[] rounded = Array.ConvertAll(points, value => (float)value);
            int[] order = PointOrder.Of(rounded, p);
            var search = new SpaceSearch([.. order.SelectMany(i => rounded[(i * p)..((i + 1) * p)])], p);
            var total = new Sums(p, points.Length / p);
            const int Batch = 16;
            for (int first = 0; first < chunks; first += Batch)
            {
                var parts = new Sums[Math.Min(Batch, chunks - first)];
                Parallel.For(0, parts.Length, i =>
                {
                    int at = (firstChunk + first + i) % (samples.Length / p / ChunkVectors) * ChunkVectors * p;
                    parts[i] = Chunk(search, order, p, samples.AsSpan(at, ChunkVectors * p));
                });
                foreach (var part in parts)
                {
                    total.Add(part);
                }
            }

            return total;
        }

        /// <summary>Of the samples, per coordinate.</summary>
        public double MeanSquaredError(double[] points)
        {
            double sum = energy;
            for (int i = 0; i < points.Length; i++)
            {
                sum += (count[i / p] * points[i] * points[i]) - (2 * points[i] * moment[i]);
            }

            return sum / vectors / p;
        }

        /// <summary>Moves each point towards the mean of its samples, or beyond it.</summary>
        public void Move(double[] points, double rate)
        {
            for (int i = 0; i < points.Length; i++)
            {
                if (count[i / p] > 0)
                {
                    points[i] += rate * ((moment[i] / count[i / p]) - points[i]);
                }
            }
        }

        private static Sums Chunk(SpaceSearch search, int[] order, int p, ReadOnlySpan<float> samples)
        {
            var sums = new Sums(p, order.Length) { vectors = ChunkVectors };
            for (int i = 0; i < samples.Length; i += p)
            {
                var vector = samples.Slice(i, p);
                int cell = order[search.Nearest(vector)];
                sums.count[cell]++;
                for (int axis = 0; axis < p; axis++)
                {
                    double value = vector[axis];
                    sums.moment[(cell * p) + axis] += value;
                    sums.energy += value * value;
                }
            }

            return sums;
        }

        private void Add(Sums other)
        {
            for (int i = 0; i < count.Length; i++)
            {
                count[i] += other.count[i];
            }

            for (int i = 0; i < moment.Length; i++)
            {
                moment[i] += other.moment[i];
            }

            energy += other.energy;
            vectors += other.vectors;
        }
    }

    /// <summary>Normal numbers from a counter (Marsaglia's polar method would reject some, so Box and Muller's).</summary>
    private static class Gaussian
    {
        public static void Fill(Span<double> values, ulong seed, ulong first)
        {
            for (int i = 0; i < values.Length; i += 2)
            {
                ulong at = (seed << 48) + first + (ulong)i;
                double radius = Math.Sqrt(-2 * Elementary.Log((1 + (Mix(at) >> 11)) * (1.0 / (1UL << 53))));
                var (sin, cos) = Elementary.SinCos(2 * Math.PI * ((Mix(at + 1) >> 11) * (1.0 / (1UL << 53))));
                values[i] = radius * cos;
                if (i + 1 < values.Length)
                {
                    values[i + 1] = radius * sin;
                }
            }
        }

        // SplitMix64 (Steele, Lea, Flood 2014).
        private static ulong Mix(ulong counter)
        {
            ulong z = (counter + 1) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
