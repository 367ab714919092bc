using Compress.Core.Calibration;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Calibration;

public class OutputCovarianceTests
{
    /// <summary>The mean is far from zero, and there are several blocks: a mean that is removed once too often would show.</summary>
    [Fact]
    public void IsThatOfCentredVectors()
    {
        const int Width = 7, Tokens = 300;
        float[] z = [.. TestModel.Gaussian(Tokens * Width, 1).Select((value, i) => value + (100 * (i % Width)))];
        var covariance = new OutputCovariance(Width);
        for (int start = 0; start < Tokens; start += 64)
        {
            int count = Math.Min(64, Tokens - start);
            covariance.Add(z.AsSpan(start * Width, count * Width), count);
        }

        double[] means = [.. Enumerable.Range(0, Width).Select(i => Enumerable.Range(0, Tokens).Average(t => (double)z[(t * Width) + i]))];
        Assert.All(covariance.Means().Zip(means), pair => Assert.Equal(pair.Second, pair.First, 1e-10));
        double[] found = covariance.Covariance();
        for (int i = 0; i < Width * Width; i++)
        {
            (int a, int b) = (i / Width, i % Width);
            Assert.Equal(Enumerable.Range(0, Tokens).Average(t => (z[(t * Width) + a] - means[a]) * (z[(t * Width) + b] - means[b])), found[i], 1e-8);
            Assert.Equal(found[(b * Width) + a], found[i]);
        }
    }

    [Fact]
    public void LeavesOutTokensThatAreNotFinite()
    {
        var covariance = new OutputCovariance(2);
        covariance.Add([1, 2, float.NaN, 0, 3, 6, 1, float.PositiveInfinity], 4);
        Assert.Equal((2, 2), (covariance.Tokens, covariance.Skipped));
        Assert.Equal([1, 2, 2, 4], covariance.Covariance());
    }

    /// <summary>Vectors along three known directions, of which the second varies most.</summary>
    [Fact]
    public void HasItsComponentsSortedByVariance()
    {
        double[][] directions = [[0.6, 0.8, 0, 0], [-0.8, 0.6, 0, 0], [0, 0, 1, 0]];
        double[] spreads = [2, 5, 1];
        var covariance = new OutputCovariance(4);
        for (int axis = 0; axis < 3; axis++)
        {
            foreach (int sign in (int[])[1, -1])
            {
                covariance.Add([.. directions[axis].Select(value => (float)((sign * spreads[axis] * value) + 10))], 1);
            }
        }

        float[] components = covariance.PrincipalComponents(3);
        int[] order = [1, 0, 2];
        for (int i = 0; i < 3; i++)
        {
            double along = Enumerable.Range(0, 4).Sum(d => directions[order[i]][d] * components[(4 * i) + d]);
            Assert.Equal(1, Math.Abs(along), 1e-6);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => covariance.PrincipalComponents(5));
        Assert.Throws<InvalidOperationException>(() => new OutputCovariance(4).PrincipalComponents(1));
    }
}
