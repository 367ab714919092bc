using System.Globalization;
using Compress.Core.Codecs.Higgs;
using Compress.Core.Numerics;

namespace Compress.Bench;

/// <summary>
/// Trains a grid of three or more dimensions, where no integral over a cell has a closed form: competitive learning (Pagès and Printems 2003), then
/// Lloyd's iteration on samples: first hasty steps on few, then plain ones on many. Samples come from a counter, sums have a fixed
/// order, and logarithms and sines are our own: the same file everywhere, on any number of threads.
/// </summary>
internal static class SpaceTraining
{
    private const int ChunkVectors = 1 << 14, HastySteps = 200, PlainSteps = 12;

    /// <summary>The best points found, [n, p].</summary>
    /// <param name="p">The dimension.</param>
    /// <param name="n">The number of points.</param>
    /// <param name="starts">How often to begin anew.</param>
    public static double[] Run(int p, int n, int starts)
    {
        // A mean of k samples is off by the cell's error / k, which adds 1/k to the grid's: few are enough to find the way, the last steps take 2000 a point or more.
        int few = Math.Max(1 << 16, 200 * n) / ChunkVectors, many = Math.Max(1 << 19, 2000 * n) / ChunkVectors;
        double[]? best = null;
        double bestError = double.PositiveInfinity;
        for (int start = 0; start < starts; start++)
        {
            double[] points = Warmup(p, n, (ulong)start);
            double error = 0;
            for (int step = 0; step < HastySteps + PlainSteps; step++)
            {
                bool hasty = step < HastySteps;
                var sums = Sums.Over(points, p, (ulong)start, hasty ? few : many);
                error = sums.MeanSquaredError(points);
                sums.Move(points, hasty ? 1.8 : 1);
            }

            error = Sums.Over(points, p, ulong.MaxValue >> 32, many).MeanSquaredError(points); // fresh samples
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start {start}: MSE {error:F6} per weight"));
            (best, bestError) = error < bestError ? (points, error) : (best, bestError);
        }

        return best!;
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

        /// <summary>Counts chunks of samples, each with sums of its own, added in their order.</summary>
        public static Sums Over(double[] points, int p, ulong seed, int chunks)
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
                Parallel.For(0, parts.Length, i => parts[i] = Chunk(search, order, p, seed, first + i));
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

        private static Sums Chunk(SpaceSearch search, int[] order, int p, ulong seed, int chunk)
        {
            var sums = new Sums(p, order.Length) { vectors = ChunkVectors };
            double[] samples = new double[ChunkVectors * p];
            Gaussian.Fill(samples, seed, (ulong)chunk * (ulong)samples.Length);
            Span<float> vector = stackalloc float[p];
            for (int i = 0; i < samples.Length; i += p)
            {
                for (int axis = 0; axis < p; axis++)
                {
                    vector[axis] = (float)samples[i + axis];
                }

                int cell = order[search.Nearest(vector)];
                sums.count[cell]++;
                for (int axis = 0; axis < p; axis++)
                {
                    sums.moment[(cell * p) + axis] += samples[i + axis];
                    sums.energy += samples[i + axis] * samples[i + axis];
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
