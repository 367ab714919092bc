using Compress.Core.Codecs.Higgs;

namespace Compress.Core.Tests.Infra;

/// <summary>The mean squared error of grids that are searched in space, on normal vectors, per coordinate.</summary>
internal static class GridErrors
{
    /// <summary>p, n, and the error of the best grid that an independent program found (docs/codecs/higgs.md).</summary>
    public static TheoryData<int, int, double> Published => new()
    {
        { 2, 88, 0.021952 }, { 2, 1024, 0.001995 }, { 3, 64, 0.101118 }, { 3, 512, 0.027121 }, { 3, 830, 0.019852 },
        { 3, 4096, 0.007099 }, { 4, 16, 0.341570 }, { 4, 256, 0.096520 }, { 4, 4096, 0.025814 }, { 8, 256, 0.321893 },
    };

    /// <summary>The mean of the squared error, and its standard error.</summary>
    public static (double Mean, double StandardError) Measure(int p, int n, int vectors)
    {
        var search = new SpaceSearch(Grid.Get(p, n).Points, p);
        float[] values = RandomWeights.Gaussian(vectors * p);
        double sum = 0, squares = 0;
        for (int i = 0; i < values.Length; i += p)
        {
            int point = search.Nearest(values.AsSpan(i, p));
            double error = 0;
            for (int axis = 0; axis < p; axis++)
            {
                double difference = values[i + axis] - search.Points[(point * p) + axis];
                error += difference * difference / p;
            }

            (sum, squares) = (sum + error, squares + (error * error));
        }

        double mean = sum / vectors;
        return (mean, Math.Sqrt((squares / vectors) - (mean * mean)) / Math.Sqrt(vectors));
    }
}
