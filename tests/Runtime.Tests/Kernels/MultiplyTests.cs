using Compress.Runtime.Kernels;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Kernels;

public class MultiplyTests
{
    /// <summary>
    /// What docs/codecs promise: |y − ŵ·x| ≤ 2e-6 · ‖ŵ‖ · ‖x‖. Sums of 1500 floats in sequence round by at most √1500 · 2^−24 = 2.3e-6
    /// of that in the usual sense, vectors of partial sums by less.
    /// </summary>
    private const double Tolerance = 2e-6;

    private static readonly int[] Batches = [1, 2, 5, 33];

    public static TheoryData<string> Kinds => [.. Samples.Kinds.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public void AgreesWithTheDequantizedMatrixInEveryKernel(string kind)
    {
        foreach (var sample in Samples.Of(kind))
        {
            float[] x = Vectors(Batches.Max(), sample.Columns);
            (double[] expected, double[] sizes) = Product(sample.Open(), x);
            foreach (var kernel in Kernel.All)
            {
                var tensor = sample.Open(kernel);
                foreach (int batch in Batches)
                {
                    float[] y = [.. Enumerable.Repeat(float.NaN, batch * sample.Rows)];
                    tensor.Multiply(x.AsSpan(0, batch * sample.Columns), y, batch);
                    for (int i = 0; i < y.Length; i++)
                    {
                        Assert.True(Math.Abs(y[i] - expected[i]) <= Tolerance * sizes[i],
                            $"{kernel.Name}, batch {batch}, result {i}: {y[i]}, expected {expected[i]} ± {Tolerance * sizes[i]}: {sample}");
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(9)]
    public void DoesNotDependOnThreads(int batch)
    {
        int before = RuntimeOptions.MaxThreads;
        foreach (var sample in (PackedSample[])
        [
            PackedSample.Higgs(1100, 1000, 1, 16, 64),
            PackedSample.Higgs(1100, 1000, 2, 64, 64),
            PackedSample.Higgs(1100, 1000, 2, 256, 64),
            PackedSample.Uniform(1100, 1000, 8, false),
        ])
        {
            float[] x = Vectors(batch, sample.Columns);
            float[] one = new float[batch * sample.Rows], many = new float[batch * sample.Rows];
            try
            {
                RuntimeOptions.MaxThreads = 1;
                sample.Open().Multiply(x, one, batch);
                RuntimeOptions.MaxThreads = 7;
                sample.Open().Multiply(x, many, batch);
            }
            finally
            {
                RuntimeOptions.MaxThreads = before;
            }

            Assert.Equal(one, many);
        }
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void ZeroVectorGivesZeros(string kernel)
    {
        foreach (var sample in SpecialSamples())
        {
            float[] y = [.. Enumerable.Repeat(float.NaN, sample.Rows)];
            sample.Open(Kernel.Choose(kernel)).Multiply(new float[sample.Columns], y);
            Assert.All(y, value => Assert.Equal(0f, value));
        }
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void NotANumberReachesEveryResult(string kernel)
    {
        foreach (var sample in SpecialSamples())
        {
            foreach (int column in (int[])[0, 31, 50, sample.Columns - 1])
            {
                float[] x = Vectors(5, sample.Columns), y = new float[5 * sample.Rows];
                x[column] = float.NaN;
                sample.Open(Kernel.Choose(kernel)).Multiply(x, y, 5);
                Assert.All(y[..sample.Rows], value => Assert.True(float.IsNaN(value)));
                Assert.All(y[sample.Rows..], value => Assert.True(float.IsFinite(value)));
            }
        }
    }

    [Theory, MemberData(nameof(KernelNames))]
    public void InfinityIsNotHidden(string kernel)
    {
        foreach (var sample in SpecialSamples())
        {
            float[] x = Vectors(1, sample.Columns), y = new float[sample.Rows];
            x[40] = float.PositiveInfinity;
            sample.Open(Kernel.Choose(kernel)).Multiply(x, y);
            Assert.All(y, value => Assert.False(float.IsFinite(value)));
        }
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(1e30f)]
    public void FollowsTheSizeOfTheVector(float size)
    {
        foreach (var sample in SpecialSamples())
        {
            float[] x = [.. Vectors(1, sample.Columns).Select(value => value * size)];
            (double[] expected, double[] sizes) = Product(sample.Open(), x);
            foreach (var kernel in Kernel.All)
            {
                float[] y = new float[sample.Rows];
                sample.Open(kernel).Multiply(x, y);
                Assert.All(Enumerable.Range(0, y.Length), i => Assert.Equal(expected[i], y[i], Tolerance * sizes[i]));
            }
        }
    }

    [Fact]
    public void EmptyMatricesGiveEmptyOrZeroResults()
    {
        float[] y = [1, 2, 3];
        PackedSample.Higgs(3, 0, 1, 16, 64).Open().Multiply([], y);
        Assert.Equal([0f, 0, 0], y);
        PackedSample.Uniform(3, 0, 4, false).Open().Multiply([], y);
        Assert.Equal([0f, 0, 0], y);
        PackedSample.Higgs(0, 5, 2, 16, 64).Open().Multiply([], []);
        PackedSample.Uniform(0, 5, 4, false).Open().Dequantize([]);
        PackedSample.Higgs(3, 0, 1, 16, 64).Open().Dequantize([]);
    }

    public static TheoryData<string> KernelNames => [.. Kernel.All.Select(kernel => kernel.Name)];

    private static PackedSample[] SpecialSamples() =>
    [
        PackedSample.Higgs(5, 78, 1, 16, 64),
        PackedSample.Higgs(5, 78, 2, 16, 64),
        PackedSample.Higgs(5, 78, 2, 256, 64),
        PackedSample.Uniform(5, 78, 8, true),
    ];

    private static float[] Vectors(int batch, int columns)
    {
        var random = new Random(columns);
        return [.. Enumerable.Range(0, batch * columns).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    /// <summary>The product of the dequantized matrix in doubles, and ‖row‖ · ‖x‖ for each result.</summary>
    private static (double[] Product, double[] Sizes) Product(PackedTensor tensor, float[] x)
    {
        int batch = x.Length / tensor.Columns;
        float[] weights = new float[tensor.Count];
        tensor.Dequantize(weights);
        double[] product = new double[batch * tensor.Rows], sizes = new double[batch * tensor.Rows];
        for (int b = 0; b < batch; b++)
        {
            for (int row = 0; row < tensor.Rows; row++)
            {
                double sum = 0, w2 = 0, x2 = 0;
                for (int k = 0; k < tensor.Columns; k++)
                {
                    double w = weights[(row * tensor.Columns) + k], v = x[(b * tensor.Columns) + k];
                    sum += w * v;
                    w2 += w * w;
                    x2 += v * v;
                }

                product[(b * tensor.Rows) + row] = sum;
                sizes[(b * tensor.Rows) + row] = Math.Sqrt(w2) * Math.Sqrt(x2);
            }
        }

        return (product, sizes);
    }
}
