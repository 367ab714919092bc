using Compress.Runtime.Kernels;
using Compress.Runtime.Numerics;

namespace Compress.Runtime.Tests.Kernels;

public class RotationTests
{
    public static TheoryData<int> Widths => [1, 2, 3, 4, 7, 31, 32, 33, 54, 64, 172, 1000, 1024, 1500, 4096, 4097];

    [Theory, MemberData(nameof(Widths))]
    public void KeepsProductsAndNorms(int width)
    {
        foreach (int groupSize in (int[])[16, 128, 1024, 4096])
        {
            float[] x = Gaussian(width, 1), w = Gaussian(width, 2);
            (double product, double norm) = (Dot(x, w), Math.Sqrt(Dot(x, x)));
            double size = norm * Math.Sqrt(Dot(w, w));
            var rotation = new Rotation(width, groupSize, 7);
            rotation.Apply(x);
            rotation.Apply(w);
            Assert.Equal(product, Dot(x, w), 2e-6 * size);
            Assert.Equal(norm, Math.Sqrt(Dot(x, x)), 2e-6 * norm);
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void InvertUndoesApply(int width)
    {
        float[] original = Gaussian(width, 3);
        float[] row = [.. original];
        var rotation = new Rotation(width, 1024, 9);
        rotation.Apply(row);
        float[] factors = new float[width];
        rotation.InverseFactors(factors);
        rotation.Invert(row, factors);
        Assert.All(original.Zip(row), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Theory, MemberData(nameof(Widths))]
    public void IsTheMatrixThatTheFormatDefines(int width)
    {
        if (width > 200)
        {
            return; // the definition costs width² evaluations of bit parities
        }

        foreach (int groupSize in (int[])[16, 64])
        {
            float[] row = Gaussian(width, 4);
            double[] expected = [.. row.Select((value, column) =>
                ((Signs.Word(5, column / 64) >> (column % 64)) & 1) == 1 ? -(double)value : value)];
            int block = 1;
            while (block * 2 <= width && block < groupSize)
            {
                block *= 2;
            }

            for (int start = 0; start + block <= width; start += block)
            {
                Sylvester(expected.AsSpan(start, block));
            }

            if (width % block != 0)
            {
                Sylvester(expected.AsSpan(width - block));
            }

            new Rotation(width, groupSize, 5).Apply(row);
            Assert.All(expected.Zip(row), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
    }

    // Facts of the randomized Hadamard transform on blocks of 1024: whatever the entries were, they become nearly normal
    // (kurtosis 3); a single spike becomes ±constant (kurtosis 1).
    [Theory]
    [InlineData("laplace", 2.99)]
    [InlineData("constant", 2.99)]
    [InlineData("spike", 1.0)]
    public void MakesEntriesNormal(string entries, double kurtosis)
    {
        const int Block = 1024;
        const int Blocks = 200;
        double sum = 0;
        var random = new Random(11);
        for (int b = 0; b < Blocks; b++)
        {
            float[] row = new float[Block];
            for (int i = 0; i < Block; i++)
            {
                double u = random.NextDouble() - 0.5;
                row[i] = entries switch
                {
                    "laplace" => (float)(-Math.Sign(u) * Math.Log(1 - (2 * Math.Abs(u)))),
                    "constant" => 1,
                    _ => i == b ? 1 : 0,
                };
            }

            new Rotation(Block, Block, (ulong)b).Apply(row);
            double mean2 = row.Average(v => (double)v * v);
            sum += row.Average(v => Math.Pow(v, 4)) / (mean2 * mean2);
        }

        // 200 blocks of 1024 normal values: the standard error of the kurtosis is sqrt(24 / 204800) = 0.011.
        Assert.Equal(kurtosis, sum / Blocks, 0.04);
    }

    /// <summary>The orthonormal Walsh–Hadamard matrix by its definition: entry (i, j) has the sign of the parity of i AND j.</summary>
    private static void Sylvester(Span<double> block)
    {
        double[] input = block.ToArray();
        for (int i = 0; i < input.Length; i++)
        {
            block[i] = 0;
            for (int j = 0; j < input.Length; j++)
            {
                block[i] += (int.PopCount(i & j) % 2 == 0 ? input[j] : -input[j]) / Math.Sqrt(input.Length);
            }
        }
    }

    [Theory, MemberData(nameof(Widths))]
    public void EveryKernelGivesTheSameBits(int width)
    {
        foreach (int groupSize in (int[])[16, 32, 64, 128, 512, 4096])
        {
            float[] expected = Gaussian(width, 6);
            float[] input = [.. expected];
            new Rotation(width, groupSize, 3, Kernel.Choose("Scalar")).Apply(expected);
            foreach (var kernel in Kernel.All)
            {
                float[] row = [.. input];
                new Rotation(width, groupSize, 3, kernel).Apply(row);
                Assert.Equal(Bits(expected), Bits(row));
            }
        }

        static IEnumerable<uint> Bits(float[] values) => values.Select(BitConverter.SingleToUInt32Bits);
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();

    private static float[] Gaussian(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
            (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
