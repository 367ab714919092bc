using Compress.Core.Numerics;

namespace Compress.Bench;

/// <summary>
/// Integrals of the standard normal density of the plane over the Voronoi cells of a set of points, to about 1e-12:
/// no samples, so that Lloyd's iteration has no noise. Each cell is cut out of a large square by the bisectors to its neighbours;
/// its integrals become sums over its edges by the divergence theorem.
/// </summary>
internal sealed class VoronoiCells
{
    // The density beyond is below 1e-20.
    private const double Edge = 10;

    // Gauss–Legendre, 8 points on [−1, 1] (Abramowitz & Stegun, table 25.4), positive half.
    private static readonly double[] Nodes = [0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363];
    private static readonly double[] Weights = [0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763];

    private readonly double[] x;
    private readonly double[] y;
    private List<(double X, double Y)> cell = [];
    private List<(double X, double Y)> cut = [];

    /// <param name="points">The sites, as x0 y0 x1 y1 ….</param>
    public VoronoiCells(ReadOnlySpan<double> points)
    {
        int n = points.Length / 2;
        (x, y, Mass, MomentX, MomentY) = (new double[n], new double[n], new double[n], new double[n], new double[n]);
        for (int i = 0; i < n; i++)
        {
            (x[i], y[i]) = (points[2 * i], points[(2 * i) + 1]);
        }

        double[] distances = new double[n];
        int[] order = new int[n];
        for (int i = 0; i < n; i++)
        {
            Build(i, distances, order);
            Integrate(i);
        }
    }

    /// <summary>The probability of each cell.</summary>
    public double[] Mass { get; }

    /// <summary>The integral of x over each cell.</summary>
    public double[] MomentX { get; }

    /// <summary>The integral of y over each cell.</summary>
    public double[] MomentY { get; }

    /// <summary>The mean squared error, per coordinate, of replacing a normal vector by the point of its cell.</summary>
    public double MeanSquaredError
    {
        get
        {
            double sum = 2;
            for (int i = 0; i < x.Length; i++)
            {
                sum += (Mass[i] * ((x[i] * x[i]) + (y[i] * y[i]))) - (2 * ((x[i] * MomentX[i]) + (y[i] * MomentY[i])));
            }

            return sum / 2;
        }
    }

    private void Build(int i, double[] distances, int[] order)
    {
        cell.Clear();
        cell.AddRange([(-Edge, -Edge), (Edge, -Edge), (Edge, Edge), (-Edge, Edge)]);
        for (int j = 0; j < x.Length; j++)
        {
            order[j] = j;
            distances[j] = ((x[j] - x[i]) * (x[j] - x[i])) + ((y[j] - y[i]) * (y[j] - y[i]));
        }

        Array.Sort((double[])distances.Clone(), order);
        foreach (int j in order)
        {
            // A bisector farther away than every corner cuts nothing, and the following ones are farther still.
            double reach = cell.Max(c => ((c.X - x[i]) * (c.X - x[i])) + ((c.Y - y[i]) * (c.Y - y[i])));
            if (distances[j] > 4 * reach)
            {
                break;
            }

            if (j != i)
            {
                Cut(x[j] - x[i], y[j] - y[i], 0.5 * ((x[j] * x[j]) + (y[j] * y[j]) - (x[i] * x[i]) - (y[i] * y[i])));
            }
        }
    }

    /// <summary>Keeps the part of the cell where normal · point ≤ offset (Sutherland and Hodgman 1974).</summary>
    private void Cut(double normalX, double normalY, double offset)
    {
        cut.Clear();
        for (int k = 0; k < cell.Count; k++)
        {
            var (a, b) = (cell[k], cell[(k + 1) % cell.Count]);
            double sideA = (normalX * a.X) + (normalY * a.Y) - offset, sideB = (normalX * b.X) + (normalY * b.Y) - offset;
            if (sideA <= 0)
            {
                cut.Add(a);
            }

            if (sideA < 0 != sideB < 0)
            {
                double t = sideA / (sideA - sideB);
                cut.Add((a.X + (t * (b.X - a.X)), a.Y + (t * (b.Y - a.Y))));
            }
        }

        (cell, cut) = (cut, cell);
    }

    private void Integrate(int i)
    {
        for (int k = 0; k < cell.Count; k++)
        {
            var (a, b) = (cell[k], cell[(k + 1) % cell.Count]);
            double dx = b.X - a.X, dy = b.Y - a.Y, length = Math.Sqrt((dx * dx) + (dy * dy));
            if (length < 1e-14)
            {
                continue;
            }

            // The edge runs along t at the distance d from the origin; the outward normal of a counter-clockwise edge is (dy, −dx).
            double d = ((a.X * dy) - (a.Y * dx)) / length, from = ((a.X * dx) + (a.Y * dy)) / length, to = from + length;
            double density = Normal.Density(d) * Between(from, to);
            MomentX[i] -= density * dy / length; // x φ = −∂φ/∂x
            MomentY[i] += density * dx / length;
            Mass[i] += d * Radial(d, from, to);  // φ = div( r (1 − e^(−r²/2)) / (2π r²) )
        }
    }

    private static double Between(double a, double b) =>
        a >= 0 ? Normal.Tail(a) - Normal.Tail(b) : b <= 0 ? Normal.Tail(-b) - Normal.Tail(-a) : 1 - Normal.Tail(-a) - Normal.Tail(b);

    private static double Radial(double d, double from, double to)
    {
        int pieces = (int)Math.Ceiling(2 * (to - from));
        double half = (to - from) / (2 * pieces), sum = 0;
        for (int piece = 0; piece < pieces; piece++)
        {
            double middle = from + (((2 * piece) + 1) * half);
            for (int k = 0; k < Nodes.Length; k++)
            {
                sum += Weights[k] * (Value(middle - (half * Nodes[k])) + Value(middle + (half * Nodes[k])));
            }
        }

        return half * sum;

        double Value(double t)
        {
            double square = (d * d) + (t * t);
            return square < 1e-5
                ? (0.5 - (square / 8)) / (2 * Math.PI)
                : ((1 / (2 * Math.PI)) - (Normal.Density(d) * Normal.Density(t))) / square;
        }
    }
}
