using Compress.Core.Codecs.Feedback;
using Compress.Core.Models;
using Compress.Core.Numerics.LinearAlgebra;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.Numerics.LinearAlgebra;

namespace Compress.Core.Tests.Codecs.Feedback;

public class ErrorFeedbackTests
{
    private const double Step = 0.25;

    // The paper's Algorithm 1 (arXiv 2210.17323), one column after another with the Cholesky factor of the inverse. 70 outputs and 150 inputs are two panels
    // and three strips.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void IsGptq(bool activationOrder)
    {
        const int Outputs = 70, Inputs = 150;
        double[] h = Scaled(Matrices.Sample(Inputs, 400), Inputs);
        float[] weights = RandomWeights.Gaussian(Outputs * Inputs);
        int[] order = [.. Enumerable.Range(0, Inputs).OrderByDescending(i => activationOrder ? h[(i * Inputs) + i] : 0)];
        double[] damped = Damped(h, Inputs, 0.01);
        double[] u = UpperCholesky(Inverse(Matrices.Make(Inputs, Inputs, (i, j) => damped[(order[i] * Inputs) + order[j]]), Inputs), Inputs);

        double[] expected = new double[weights.Length];
        for (int row = 0; row < Outputs; row++)
        {
            double[] w = [.. order.Select(column => (double)weights[(row * Inputs) + column])];
            for (int i = 0; i < Inputs; i++)
            {
                double rounded = Step * Math.Round(w[i] / Step), error = (w[i] - rounded) / u[(i * Inputs) + i];
                expected[(row * Inputs) + order[i]] = rounded;
                for (int j = i; j < Inputs; j++)
                {
                    w[j] -= error * u[(i * Inputs) + j];
                }
            }
        }

        Assert.Equal(expected, Run(h, weights, Outputs, Inputs, 1, activationOrder).Rounded);
    }

    // algorithms: tr(ΔW H ΔWᵀ) = Σ tr(η D ηᵀ), with the damped H and η what a block was rounded from less what it was rounded to.
    [Theory]
    [InlineData(3, 130, 1, false)]
    [InlineData(66, 65, 1, true)]
    [InlineData(5, 131, 2, false)]
    [InlineData(5, 131, 2, true)]
    [InlineData(5, 130, 3, false)]
    [InlineData(5, 130, 3, true)]
    [InlineData(4, 70, 16, true)]
    [InlineData(1, 64, 64, false)]
    [InlineData(2, 1, 1, true)]
    public void LossIsWhatTheBlocksAreRoundedBy(int outputs, int inputs, int blockSize, bool activationOrder)
    {
        double[] h = Scaled(Matrices.Sample(inputs, 3 * inputs), inputs);
        float[] weights = RandomWeights.Gaussian(outputs * inputs);
        var grid = Run(h, weights, outputs, inputs, blockSize, activationOrder);

        int[] order = grid.Order(0);
        var ldl = new BlockLdl(DampedCholesky.Upper(h, order, 0.01, out _)!, inputs, blockSize);
        double[] damped = Damped(h, inputs, 0.01);
        for (int row = 0; row < outputs; row++)
        {
            double[] error = [.. Enumerable.Range(0, inputs).Select(i => weights[(row * inputs) + i] - grid.Rounded[(row * inputs) + i])];
            double loss = Matrices.Product(Matrices.Product(error, damped, 1, inputs, inputs), error, 1, inputs, 1)[0], sum = 0;
            for (int i = 0; i < inputs; i++)
            {
                for (int j = i / blockSize * blockSize; j < Math.Min(inputs, (i / blockSize * blockSize) + blockSize); j++)
                {
                    sum += grid.Deviation(row, order[i]) * ldl.Diagonal(i, j) * grid.Deviation(row, order[j]);
                }
            }

            Assert.Equal(order, grid.Order(row));
            Assert.Equal(1, sum / loss, 1e-9);
        }
    }

    // algorithms 5.1: without clipping the loss is tr(D) / tr(H) of plain rounding's, which is Step²/12 tr(H) for each output: with correlation ρ between
    // neighbours 1 − ρ² but for the last column.
    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(0.5, 0.75)]
    [InlineData(0.9, 0.19)]
    [InlineData(0.99, 0.0199)]
    public void LossIsThePredictedPartOfPlainRoundings(double correlation, double ratio)
    {
        const int Outputs = 64, Inputs = 256;
        double[] h = Matrices.Autoregressive(Inputs, correlation);
        float[] weights = RandomWeights.Gaussian(Outputs * Inputs);
        double plain = Step * Step / 12 * Inputs * Outputs;
        double loss = Loss(h, weights, Run(h, weights, Outputs, Inputs, 1, false, damping: 0).Rounded, Inputs);
        Assert.Equal(ratio + ((1 - ratio) / Inputs), loss / plain, 0.03 * ratio);
    }

    // Dead inputs have no part in the errors of others, and are rounded for themselves.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DeadInputsAreRoundedPlainly(bool activationOrder)
    {
        const int Inputs = 80;
        int[] dead = [0, 17, 79];
        double[] full = Matrices.Sample(Inputs, 200);
        double[] h = Matrices.Make(Inputs, Inputs, (i, j) => dead.Contains(i) || dead.Contains(j) ? 0 : full[(i * Inputs) + j]);
        float[] weights = RandomWeights.Gaussian(3 * Inputs), others = [.. weights];
        for (int row = 0; row < 3; row++)
        {
            Array.ForEach(dead, column => others[(row * Inputs) + column] += 0.3f);
        }

        double[] rounded = Run(h, weights, 3, Inputs, 1, activationOrder).Rounded, changed = Run(h, others, 3, Inputs, 1, activationOrder).Rounded;
        for (int i = 0; i < rounded.Length; i++)
        {
            Assert.Equal(dead.Contains(i % Inputs) ? Step * Math.Round(others[i] / Step) : rounded[i], changed[i]);
        }
    }

    // X Xᵀ of rank 1 and 20: most errors can be made up for entirely.
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void MomentsOfLowRankLeaveLittleLoss(int rank)
    {
        const int Inputs = 100;
        double[] h = Matrices.Sample(Inputs, rank);
        float[] weights = RandomWeights.Gaussian(8 * Inputs);
        double plain = Loss(h, weights, Run(Matrices.Identity(Inputs), weights, 8, Inputs, 1, false).Rounded, Inputs);
        Assert.InRange(Loss(h, weights, Run(h, weights, 8, Inputs, 1, true).Rounded, Inputs) / plain, 0, 0.25);
    }

    // What is rounded together of several outputs is rounded as if it were alone, if the quantizer takes it so.
    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    public void OutputsThatAreRoundedTogetherDoNotMix(int together)
    {
        const int Outputs = 130, Inputs = 70;
        double[] h = Scaled(Matrices.Sample(Inputs, 200), Inputs);
        float[] weights = RandomWeights.Gaussian(Outputs * Inputs);
        var grid = new Grid(Outputs, Inputs, 1, together);
        ErrorFeedback.Quantize(
            new(h, Inputs, 1, 0, new(1, true), CancellationToken.None),
            WeightMatrix.FromArray(weights, Outputs, Inputs), transposed: false, grid, CancellationToken.None);
        Assert.Equal(Run(h, weights, Outputs, Inputs, 1, true).Rounded, grid.Rounded);
    }

    // A scale is fitted when its group has been rounded, in the metric of what the inputs that come later cannot make up for: the Schur complement of their
    // moments, which is the inverse of the group's part of H⁻¹.
    [Theory]
    [InlineData(1, 40)]
    [InlineData(2, 40)]
    [InlineData(1, 130)]
    public void ScaleIsFittedToWhatCannotBeMadeUpFor(int blockSize, int groupSize)
    {
        const int Outputs = 3;
        int inputs = 2 * groupSize;
        double[] h = Scaled(Matrices.Sample(inputs, 3 * inputs), inputs), inverse = Inverse(h, inputs);
        float[] weights = RandomWeights.Gaussian(Outputs * inputs);
        var grid = new Grid(Outputs, inputs, blockSize, groupInputs: groupSize);
        ErrorFeedback.Quantize(
            new(h, inputs, blockSize, groupSize, new(0, false), CancellationToken.None),
            WeightMatrix.FromArray(weights, Outputs, inputs), transposed: false, grid, CancellationToken.None);
        double[] metric = Inverse(Matrices.Make(groupSize, groupSize, (i, j) => inverse[(i * inputs) + j]), groupSize);
        for (int row = 0; row < Outputs; row++)
        {
            double[] w = [.. Enumerable.Range(0, groupSize).Select(i => (double)weights[(row * inputs) + i])];
            double[] rounded = grid.Rounded[(row * inputs)..((row * inputs) + groupSize)];
            double[] product = Matrices.Product(rounded, metric, 1, groupSize, groupSize);
            double best = product.Zip(w, (a, b) => a * b).Sum() / product.Zip(rounded, (a, b) => a * b).Sum();
            Assert.Equal(best, grid.Factor(row, 0), 1e-9);

            // The second group starts from errors that the fitted scale left.
            double[] errors = [.. rounded.Zip(w, (r, value) => (r * best) - value)];
            double[] u = new BlockLdl(DampedCholesky.Upper(h, [.. Enumerable.Range(0, inputs)], 0, out _)!, inputs, blockSize).Factor;
            double target = weights[(row * inputs) + groupSize] - errors.Select((e, j) => e * u[(j * inputs) + groupSize]).Sum();
            Assert.Equal(target - grid.Rounded[(row * inputs) + groupSize], grid.Deviation(row, groupSize), 1e-9);

            // Nothing comes after it: whatever its scale were, the loss would be greater.
            double[] all = [.. errors, .. Enumerable.Range(groupSize, groupSize)
                .Select(i => (grid.Factor(row, 1) * grid.Rounded[(row * inputs) + i]) - weights[(row * inputs) + i])];
            double[] gradient = Matrices.Product(all, h, 1, inputs, inputs);
            double slope = Enumerable.Range(groupSize, groupSize).Sum(i => gradient[i] * grid.Rounded[(row * inputs) + i]);
            Assert.Equal(0, slope / Matrices.Trace(h, inputs), 1e-9);
        }
    }

    // Groups are rounded whole, the one with the greatest moments first, and what is not full last.
    [Fact]
    public void GroupsStayTogetherInActivationOrder()
    {
        double[] strength = [1, 2, 9, 3, 8, 7, 4, 5, 6, 99, 98];
        var factor = new FeedbackFactor(
            Matrices.Make(11, 11, (i, j) => i == j ? strength[i] : 0), 11, 1, 4, new(1, true), CancellationToken.None);
        Assert.Equal([4, 5, 7, 6, 2, 3, 1, 0, 9, 10, 8], factor.Order.ToArray());
        Assert.Equal([2, 3, 0, 1, 4], new FeedbackFactor(
            Matrices.Make(5, 5, (i, j) => i == j ? strength[i] : 0), 5, 2, 0, new(1, true), CancellationToken.None).Order.ToArray());
        // of equals the first, whole
        Assert.Equal([3, 2, 1, 0, 4, 5, 6, 7], new FeedbackFactor(
            Matrices.Make(8, 8, (i, j) => i != j ? 0 : i < 4 ? i + 1 : 8 - i), 8, 1, 4, new(1, true), CancellationToken.None).Order.ToArray());
    }

    [Fact]
    public void ZeroMomentsArePlainRounding()
    {
        float[] weights = RandomWeights.Gaussian(5 * 70);
        Assert.Equal(weights.Select(w => Step * Math.Round(w / Step)), Run(new double[70 * 70], weights, 5, 70, 1, true).Rounded);
    }

    [Fact]
    public void MomentsThatAreNotFiniteAreRefused() =>
        Assert.Throws<ArgumentException>(() => new FeedbackFactor([double.NaN], 1, 1, 0, new(1, true), CancellationToken.None));

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    [InlineData(0, 0)]
    public void NothingIsRoundedOfAnEmptyMatrix(int outputs, int inputs) =>
        Assert.Empty(Run(Matrices.Identity(inputs), [], outputs, inputs, 1, true).Rounded);

    [Fact]
    public void CancelledFeedbackStops()
    {
        using var source = new CancellationTokenSource();
        var factor = new FeedbackFactor(Matrices.Identity(8), 8, 1, 0, new(1, true), source.Token);
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            ErrorFeedback.Quantize(factor, WeightMatrix.FromArray(new float[16], 2, 8), transposed: false, new Grid(2, 8, 1), source.Token));
    }

    private static Grid Run(double[] h, float[] weights, int outputs, int inputs, int blockSize, bool activationOrder, int damping = 1)
    {
        var grid = new Grid(outputs, inputs, blockSize);
        ErrorFeedback.Quantize(
            new(h, inputs, blockSize, 0, new(damping, activationOrder), CancellationToken.None),
            WeightMatrix.FromArray(weights, outputs, inputs), transposed: false, grid, CancellationToken.None);
        return grid;
    }

    // Inputs of different strength, so that their order matters.
    private static double[] Scaled(double[] h, int n) => Matrices.Make(n, n, (i, j) => h[(i * n) + j] * (1 + (i * 7 % 5)) * (1 + (j * 7 % 5)));

    private static double[] Damped(double[] h, int n, double damping)
    {
        double added = damping * Matrices.Trace(h, n) / n;
        return Matrices.Make(n, n, (i, j) => h[(i * n) + j] + (i == j ? added : 0));
    }

    private static double Loss(double[] h, float[] weights, double[] rounded, int inputs)
    {
        double[] error = [.. weights.Zip(rounded, (w, r) => w - r)], product = Matrices.Product(error, h, error.Length / inputs, inputs, inputs);
        return error.Zip(product, (a, b) => a * b).Sum();
    }

    // Gauss and Jordan, without pivoting: the matrix is positive definite.
    private static double[] Inverse(double[] matrix, int n)
    {
        double[] a = [.. matrix], inverse = Matrices.Identity(n);
        for (int k = 0; k < n; k++)
        {
            double pivot = a[(k * n) + k];
            for (int j = 0; j < n; j++)
            {
                a[(k * n) + j] /= pivot;
                inverse[(k * n) + j] /= pivot;
            }

            for (int i = 0; i < n; i++)
            {
                double factor = i == k ? 0 : a[(i * n) + k];
                for (int j = 0; j < n && factor != 0; j++)
                {
                    a[(i * n) + j] -= factor * a[(k * n) + j];
                    inverse[(i * n) + j] -= factor * inverse[(k * n) + j];
                }
            }
        }

        return inverse;
    }

    // A = Uᵀ U
    private static double[] UpperCholesky(double[] a, int n)
    {
        double[] u = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            for (int j = i; j < n; j++)
            {
                double sum = a[(i * n) + j];
                for (int k = 0; k < i; k++)
                {
                    sum -= u[(k * n) + i] * u[(k * n) + j];
                }

                u[(i * n) + j] = i == j ? Math.Sqrt(sum) : sum / u[(i * n) + i];
            }
        }

        return u;
    }

    /// <summary>Rounds to multiples of <see cref="Step"/>, and remembers what from.</summary>
    private sealed class Grid(int outputs, int inputs, int blockSize, int together = 1, int groupInputs = 0) : IBlockQuantizer
    {
        private readonly double[] deviations = new double[outputs * inputs];
        private readonly List<double>[] factors = [.. Enumerable.Range(0, outputs).Select(_ => new List<double>())];
        private readonly List<int>[] order = [.. Enumerable.Range(0, outputs).Select(_ => new List<int>())];

        public int Inputs => blockSize;

        public int Outputs => together;

        public int GroupInputs => groupInputs;

        public double[] Rounded { get; } = new double[outputs * inputs];

        public double Deviation(int output, int input) => deviations[(output * inputs) + input];

        public int[] Order(int output) => [.. order[output]];

        public double Factor(int output, int group) => factors[output][group];

        public void Rescale(int output, int input, double factor)
        {
            Assert.Equal(factors[output].Count, input / groupInputs);
            factors[output].Add(factor);
        }

        public void Quantize(int output, int input, ReadOnlySpan<double> target, Span<double> rounded)
        {
            int size = Math.Min(blockSize, inputs - input);
            Assert.Equal(size * Math.Min(together, outputs - output), target.Length);
            for (int i = 0; i < target.Length; i++)
            {
                int row = output + (i / size), column = input + (i % size), index = (row * inputs) + column;
                Rounded[index] = rounded[i] = Step * Math.Round(target[i] / Step);
                deviations[index] = target[i] - rounded[i];
                order[row].Add(column);
            }
        }
    }
}
