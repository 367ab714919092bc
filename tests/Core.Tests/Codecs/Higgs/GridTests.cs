using System.Globalization;
using Compress.Core.Codecs.Higgs;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Codecs.Higgs;

public class GridTests
{
    [Theory]
    [InlineData(16, 0.107615)]
    [InlineData(64, 0.029700)]
    [InlineData(256, 0.007772)]
    public void PlanarGridIsAsGoodAsTheReference(int n, double published)
    {
        double error = MeanSquaredError(Grid.Get(2, n).Points);
        double reference = MeanSquaredError(Reference(n));
        Assert.InRange(reference / published, 0.998, 1.002); // the integration is as exact as it must be
        Assert.InRange(error / reference, 0.98, 1.005);
    }

    [Fact]
    public void PlanarPointsAreOrderedByXThenY()
    {
        foreach (int n in Grid.Sizes(2).Where(n => n <= 256))
        {
            var points = Grid.Get(2, n).Points.Chunk(2).Select(p => (p[0], p[1])).ToArray();
            Assert.Equal(n, points.Distinct().Count());
            Assert.Equal(points.Order(), points);
        }
    }

    [Theory]
    [InlineData(1, 2, DType.BF16)]
    [InlineData(1, 3, DType.BF16)]
    [InlineData(1, 16, DType.BF16)]
    [InlineData(1, 17, DType.F16)]
    [InlineData(1, 256, DType.F16)]
    [InlineData(2, 16, DType.BF16)]
    [InlineData(2, 256, DType.F16)]
    public void TableIsTwoBytesPerNumber(int p, int n, DType type)
    {
        var grid = Grid.Get(p, n);
        Assert.Equal($"grid.p{p}n{n}", grid.Name);
        Assert.Equal(type, grid.DType);
        Assert.Equal(2 * n * p, grid.Bytes.Length);
    }

    // The published levels, rounded by hand: bfloat16 keeps 8 significant bits.
    [Fact]
    public void LineOfFourIsRoundedToBFloat16()
    {
        Assert.Equal([-1.5078125f, -0.453125f, 0.453125f, 1.5078125f], Grid.Get(1, 4).Points);
        Assert.Equal([0xC1, 0xBF, 0xE8, 0xBE, 0xE8, 0x3E, 0xC1, 0x3F], Grid.Get(1, 4).Bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void NearestPointIsExact(int p)
    {
        foreach (int n in p == 1 ? Enumerable.Range(2, 255) : Grid.Sizes(2).Where(n => n <= 256))
        {
            var grid = Grid.Get(p, n);
            float[] values = Probes(grid.Points, p, p == 1 ? 2048 : 65536);
            ushort[] codes = new ushort[values.Length / p];
            float[] points = new float[values.Length];
            grid.Search.Nearest(values, 1, codes, points);
            for (int i = 0; i < codes.Length; i++)
            {
                int nearest = Nearest(grid.Points, values.AsSpan(i * p, p));
                Assert.True(nearest == codes[i], $"n = {n}: {string.Join(' ', values[(i * p)..((i + 1) * p)])} is nearest to {nearest}, not {codes[i]}");
                Assert.Equal(grid.Points[(nearest * p)..((nearest + 1) * p)], points[(i * p)..((i + 1) * p)]);
            }
        }
    }

    /// <summary>Grids that are searched in space.</summary>
    public static TheoryData<int, int> Spatial => new()
    {
        { 2, 1024 }, { 3, 64 }, { 3, 512 }, { 3, 830 }, { 3, 4096 }, { 4, 16 }, { 4, 256 }, { 4, 4096 }, { 8, 256 },
    };

    [Theory, MemberData(nameof(Spatial))]
    public void NearestPointInSpaceIsExact(int p, int n)
    {
        var grid = Grid.Get(p, n);
        float[] values = Probes(grid.Points, p, 24 * 128);
        ushort[] codes = new ushort[values.Length / p];
        float[] points = new float[values.Length];
        grid.Search.Nearest(values, 1, codes, points);
        for (int i = 0; i < codes.Length; i++)
        {
            var vector = values.AsSpan(i * p, p);
            int nearest = Nearest(grid.Points, vector);
            Assert.True(nearest == codes[i], $"{string.Join(' ', vector.ToArray())} is nearest to {nearest}, not {codes[i]}");
            Assert.Equal(nearest, grid.Nearest([.. vector.ToArray().Select(value => (double)value)], 1));
            Assert.Equal(grid.Points[(nearest * p)..((nearest + 1) * p)], points[(i * p)..((i + 1) * p)]);
        }
    }

    // Of 4096 points, on normal vectors.
    [Theory]
    [InlineData(3, 4096, 0.08)]
    [InlineData(4, 4096, 0.2)]
    [InlineData(2, 1024, 0.08)]
    public void SearchTouchesFewPoints(int p, int n, double part)
    {
        var search = (SpaceSearch)Grid.Get(p, n).Search;
        double touched = RandomWeights.Gaussian(p * 2000).Chunk(p).Average(vector => (double)search.Touched(vector));
        Assert.InRange(touched / n, 0, part);
    }

    [Theory, MemberData(nameof(Spatial))]
    public void EightConsecutivePointsLieTogether(int p, int n)
    {
        var points = Grid.Get(p, n).Points;
        Assert.Equal(n, points.Chunk(p).Select(point => string.Join(' ', point)).Distinct().Count());
        Assert.Equal(Enumerable.Range(0, n), PointOrder.Of(points, p));
    }

    // The long suite has the same on so many samples that half a percent shows.
    [Theory, MemberData(nameof(GridErrors.Published), MemberType = typeof(GridErrors))]
    public void GridHasThePublishedError(int p, int n, double published)
    {
        var (error, standardError) = GridErrors.Measure(p, n, 1 << 14);
        Assert.InRange(standardError / error, 0, 0.013);
        Assert.InRange(error, (0.975 * published) - (3 * standardError), (1.005 * published) + (3 * standardError));
    }

    [Fact]
    public void UnknownPlanarSizeIsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => Grid.Get(2, 32));

    // Normal values of several widths, so that all cells are visited and some lie far outside; then the points themselves, and the
    // middles between neighbours, where several points are equally near.
    private static float[] Probes(float[] points, int p, int count)
    {
        float[] values = RandomWeights.Gaussian(count);
        for (int i = 0; i < count; i++)
        {
            values[i] *= (i / 16 % 4) switch { 0 => 1, 1 => 2, 2 => 0.1f, _ => 30 };
        }

        var middles = points.Zip(points.Skip(p), (a, b) => (a + b) / 2);
        float[] all = [.. values, .. points, .. middles, 0, 0, -0f, -0f];
        int unit = p == 3 ? 24 : GridSearch.Step;
        return all[..(all.Length / unit * unit)];
    }

    // In floats, as the encoder; of equally near points the first.
    private static int Nearest(float[] points, ReadOnlySpan<float> value)
    {
        int p = value.Length, best = 0;
        float least = float.PositiveInfinity;
        for (int i = 0; i < points.Length / p; i++)
        {
            float distance = p == 1 ? Math.Abs(value[0] - points[i]) : 0;
            for (int axis = 0; axis < p && p > 1; axis++)
            {
                float difference = value[axis] - points[(i * p) + axis];
                distance += difference * difference;
            }

            (best, least) = distance < least ? (i, distance) : (best, least);
        }

        return best;
    }

    /// <summary>By the midpoint rule on a fine lattice over [−6, 6]².</summary>
    private static double MeanSquaredError(float[] points)
    {
        const double Step = 0.05;
        double sum = 0, mass = 0;
        for (double x = -6 + (Step / 2); x < 6; x += Step)
        {
            for (double y = -6 + (Step / 2); y < 6; y += Step)
            {
                double least = double.PositiveInfinity;
                for (int i = 0; i < points.Length; i += 2)
                {
                    double dx = x - points[i], dy = y - points[i + 1];
                    least = Math.Min(least, (dx * dx) + (dy * dy));
                }

                double density = Math.Exp(-0.5 * ((x * x) + (y * y)));
                sum += density * least;
                mass += density;
            }
        }

        return sum / mass / 2;
    }

    private static float[] Reference(int n) =>
        [.. File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "assets", "grids", $"g2_{n}.txt"))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(number => float.Parse(number, CultureInfo.InvariantCulture))];
}
