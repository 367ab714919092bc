using Compress.Core.Allocation;

namespace Compress.Core.Tests.Allocation;

public class ExactAllocationTests
{
    private static readonly double[] Mse = [0.11748185, 0.03454776, 0.00950101, 0.00004119];
    private static readonly int[] Bits = [2, 3, 4, 8];

    // docs of the method: golden values from an independent solver, equal to brute force
    [Theory]
    [InlineData(81, 0.49963241, "3 3 2 4 2 2 2 2")]
    [InlineData(90, 0.35449776, "3 3 3 4 2 2 3 2")]
    [InlineData(108, 0.17797140, "4 4 4 4 3 2 3 3")]
    [InlineData(117, 0.14040127, "4 4 4 4 3 2 4 3")]
    [InlineData(126, 0.11176403, "4 3 3 4 3 3 4 4")]
    [InlineData(144, 0.05652661, "4 4 4 8 4 3 4 4")]
    [InlineData(180, 0.03245790, "8 8 8 8 4 4 4 4")]
    public void GoldenInstance(long budget, double cost, string bits)
    {
        var layers = Golden();
        int[] solution = ExactAllocation.Solve(layers, budget)!;
        Assert.Equal(cost, Cost(layers, solution), 1e-8);
        Assert.Equal(bits, string.Join(' ', solution.Select(choice => Bits[choice])));
    }

    [Fact]
    public void MoreBudgetNeverCostsMore()
    {
        var layers = Golden();
        double last = double.PositiveInfinity;
        for (long budget = 72; budget <= 300; budget++)
        {
            int[] solution = ExactAllocation.Solve(layers, budget)!;
            double cost = Cost(layers, solution);
            Assert.True(cost <= last);
            Assert.True(Size(layers, solution) <= budget);
            last = cost;
        }

        Assert.Null(ExactAllocation.Solve(layers, 71));
    }

    // Few sizes and costs in one half of the instances, so that many solutions are equally good.
    [Fact]
    public void EqualsBruteForceOnRandomInstances()
    {
        var random = new Random(6);
        for (int instance = 0; instance < 3000; instance++)
        {
            bool coarse = instance % 2 == 0;
            Choice[][] layers = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => Enumerable.Range(0, random.Next(1, 5)).Select(_ => new Choice(
                random.Next(0, coarse ? 5 : 1000), coarse ? random.Next(0, 6) : random.NextDouble())).ToArray())];
            long budget = random.Next(0, (coarse ? 5 : 1000) * layers.Length);
            int[]? solution = ExactAllocation.Solve(layers, budget);
            var (cost, size) = BruteForce(layers, budget);
            if (double.IsPositiveInfinity(cost))
            {
                Assert.Null(solution);
                continue;
            }

            Assert.Equal(cost, Cost(layers, solution!), 1e-9);
            Assert.Equal(size, Size(layers, solution!));
        }
    }

    [Fact]
    public void ManyLayersAreWithinTheLargestStepOfTheRelaxation()
    {
        var random = new Random(7);
        Choice[][] layers = [.. Enumerable.Range(0, 1000).Select(_ =>
        {
            long weights = random.Next(1, 65) * 65_536;
            double alpha = Math.Pow(10, -3 * random.NextDouble());
            return Enumerable.Range(0, 12).Select(i => new Choice((weights * (i + 2) / 2 / 8) + random.Next(0, 200), alpha * Math.Pow(4, -(i + 2) / 2.0))).ToArray();
        })];
        foreach (double bits in new[] { 1.5, 3, 4.25, 6 })
        {
            long budget = (long)(layers.Sum(layer => layer[0].Size) * bits);
            int[] solution = ExactAllocation.Solve(layers, budget)!;
            Assert.True(Size(layers, solution) <= budget);
            Assert.True(Size(layers, solution) > budget * 0.9999);
        }
    }

    [Fact]
    public void WithoutLayersThereIsNothingToChoose() => Assert.Empty(ExactAllocation.Solve([], 0)!);

    [Fact]
    public void WrongChoicesAreRefused()
    {
        Assert.Throws<ArgumentException>(() => ExactAllocation.Solve([[]], 1));
        Assert.Throws<ArgumentException>(() => ExactAllocation.Solve([[new(-1, 1)]], 1));
        Assert.Throws<ArgumentException>(() => ExactAllocation.Solve([[new(1, double.NaN)]], 1));
        Assert.Throws<ArgumentException>(() => ExactAllocation.Solve([[new(1, -1)]], 1));
    }

    private static Choice[][] Golden()
    {
        int[] sizes = [4, 1, 1, 2, 8, 8, 8, 4];
        double[] alphas = [1, 0.5, 0.25, 2, 0.7, 0.3, 1.5, 0.9];
        return [.. sizes.Zip(alphas, (size, alpha) => Bits.Zip(Mse, (bits, mse) => new Choice(size * bits, alpha * mse)).ToArray())];
    }

    private static (double Cost, long Size) BruteForce(Choice[][] layers, long budget)
    {
        (double Cost, long Size) best = (double.PositiveInfinity, 0);
        Try(0, 0, 0);
        return best;

        void Try(int layer, long size, double cost)
        {
            if (size > budget)
            {
                return;
            }

            if (layer == layers.Length)
            {
                if (cost < best.Cost - 1e-12 || (cost < best.Cost + 1e-12 && size < best.Size))
                {
                    best = (cost, size);
                }

                return;
            }

            foreach (var choice in layers[layer])
            {
                Try(layer + 1, size + choice.Size, cost + choice.Cost);
            }
        }
    }

    private static double Cost(Choice[][] layers, int[] solution) => solution.Select((choice, layer) => layers[layer][choice].Cost).Sum();

    private static long Size(Choice[][] layers, int[] solution) => solution.Select((choice, layer) => layers[layer][choice].Size).Sum();
}
