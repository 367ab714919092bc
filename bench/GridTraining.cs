using System.Globalization;
using Compress.Core.Codecs.Higgs;

namespace Compress.Bench;

/// <summary>
/// Trains the grids that Core embeds, or measures them: those of dimension 2 here, others by <see cref="SpaceTraining"/>. From several starts: competitive learning (Pagès and Printems 2003) to find
/// a good arrangement, then Lloyd's iteration with exact integrals to its fixed point (of more than 256 points one start and at most 400 steps); the best is rounded and written.
/// Only + − × ÷ √ are used: the same file everywhere.
/// </summary>
internal static class GridTraining
{
    private const int Starts = 8, WarmupDraws = 2_000_000;

    public static void Run(string[] args)
    {
        if (!int.TryParse(Option(args, "--p"), CultureInfo.InvariantCulture, out int p) || p is < 2 or > 8
            || !int.TryParse(Option(args, "--n"), CultureInfo.InvariantCulture, out int n) || n is < 2 or > 4096)
        {
            throw new ArgumentException("usage: train-grid --p 2..8 --n 2..4096 [--output FILE | --measure]");
        }

        if (args.Contains("--measure"))
        {
            SpaceTraining.Measure(p, n);
            return;
        }

        string output = Option(args, "--output") ?? $"src/Core/Codecs/Higgs/Grids/p{p}n{n}.bin";
        double[] best = p == 2 ? Best(n) : SpaceTraining.Run(p, n, n > 64 ? 1 : 4);
        byte[] bytes = Sorted(Grid.Store(best, n), p, n);
        File.WriteAllBytes(output, bytes);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{output}: {bytes.Length} bytes"));
    }

    private static double[] Best(int n)
    {
        double[]? best = null;
        double bestError = double.PositiveInfinity;
        for (int start = 0; start < (n > 256 ? 1 : Starts); start++)
        {
            double[] points = Warmup(n, (ulong)start);
            double error = Settle(points);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start {start}: MSE {error:F7} per weight"));
            (best, bestError) = error < bestError ? (points, error) : (best, bestError);
        }

        return best!;
    }

    private static string? Option(string[] args, string name) =>
        Array.IndexOf(args, name) is int at && at >= 0 && at + 1 < args.Length ? args[at + 1] : null;

    /// <summary>Each draw pulls the nearest point towards it, less and less.</summary>
    private static double[] Warmup(int n, ulong start)
    {
        var random = new Draws(start);
        double[] points = new double[2 * n];
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = Math.Sqrt(2) * random.Next(); // the best density of points is N(0, (p+2)/p)
        }

        for (int draw = 0; draw < WarmupDraws; draw++)
        {
            double x = random.Next(), y = random.Next(), nearest = double.PositiveInfinity;
            int winner = 0;
            for (int i = 0; i < points.Length; i += 2)
            {
                double dx = points[i] - x, dy = points[i + 1] - y, distance = (dx * dx) + (dy * dy);
                (winner, nearest) = distance < nearest ? (i, distance) : (winner, nearest);
            }

            double pull = 1 / (4 + ((double)draw / n));
            points[winner] += pull * (x - points[winner]);
            points[winner + 1] += pull * (y - points[winner + 1]);
        }

        return points;
    }

    /// <summary>Moves every point to the mean of its cell, and beyond (which halves the steps), until the error stands still.</summary>
    private static double Settle(double[] points)
    {
        double error = double.PositiveInfinity;
        for (int step = 0, still = 0; step < (points.Length > 512 ? 400 : 5000) && still < 10; step++)
        {
            var cells = new VoronoiCells(points);
            still = error - cells.MeanSquaredError < 1e-9 * cells.MeanSquaredError ? still + 1 : 0;
            error = cells.MeanSquaredError;
            for (int i = 0; i < points.Length; i += 2)
            {
                points[i] += 1.8 * ((cells.MomentX[i / 2] / cells.Mass[i / 2]) - points[i]);
                points[i + 1] += 1.8 * ((cells.MomentY[i / 2] / cells.Mass[i / 2]) - points[i + 1]);
            }
        }

        return error;
    }

    /// <summary>The stored order: by x, then y, as rounded; or that of the general search.</summary>
    private static byte[] Sorted(byte[] stored, int p, int n)
    {
        byte[][] points = [.. stored.Chunk(2 * p)];
        return Grid.IsOrderedByX(p, n)
            ? [.. points.OrderBy(point => Grid.Load(point, n)[0]).ThenBy(point => Grid.Load(point, n)[1]).SelectMany(point => point)]
            : [.. PointOrder.Of(Grid.Load(stored, n), p).SelectMany(i => points[i])];
    }

    /// <summary>Nearly normal numbers (the sum of twelve uniform ones), good enough for a start, from a counter.</summary>
    private sealed class Draws(ulong seed)
    {
        private ulong counter = seed << 32;

        public double Next()
        {
            double sum = -6;
            for (int i = 0; i < 3; i++)
            {
                ulong z = ++counter * 0x9E3779B97F4A7C15;
                z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
                z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
                z ^= z >> 31;
                for (int part = 0; part < 4; part++, z >>= 16)
                {
                    sum += ((z & 0xFFFF) + 0.5) / 65536;
                }
            }

            return sum;
        }
    }
}
