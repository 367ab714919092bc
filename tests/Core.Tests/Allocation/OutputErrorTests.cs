using Compress.Core.Allocation;
using Compress.Core.Compression;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.Allocation;

public class OutputErrorTests
{
    [Theory]
    [InlineData(7, 12, false)]
    [InlineData(12, 7, true)]
    [InlineData(1, 5, false)]
    [InlineData(5, 1, true)]
    public void IsTheTraceOfErrorsWithTheMoments(int rows, int columns, bool transposed)
    {
        int inputs = transposed ? rows : columns;
        double[] moments = Moments(inputs);
        var (own, weights, values) = Measure(TestModel.Gaussian(rows * columns, 5), rows, columns, moments, transposed);
        double sum = 0;
        for (int output = 0; output < rows * columns / inputs; output++)
        {
            for (int i = 0; i < inputs; i++)
            {
                for (int j = 0; j < inputs; j++)
                {
                    sum += Error(output, i) * moments[(i * inputs) + j] * Error(output, j);
                }
            }
        }

        Assert.True(sum > 0);
        Assert.Equal(sum, own, 1e-5 * sum);

        double Error(int output, int input) => (transposed ? (input * columns) + output : (output * columns) + input) is var at ? (double)values[at] - weights[at] : 0;
    }

    // Every row the same: any of them tell of all.
    [Theory]
    [InlineData(256)]
    [InlineData(700)]
    public void OfManyOutputsSomeTellOfAll(int rows)
    {
        float[] row = [.. TestModel.Gaussian(16, 3)];
        double[] moments = Moments(16);
        double one = Measure(row, 1, 16, moments, false).Own, all = Measure([.. Enumerable.Repeat(row, rows).SelectMany(values => values)], rows, 16, moments, false).Own;
        Assert.Equal(rows * one, all, 1e-5 * all);
    }

    private static double[] Moments(int inputs) => [.. Enumerable.Range(0, inputs * inputs).Select(i => 1.0 / (1 + Math.Abs((i / inputs) - (i % inputs))))];

    private static (double Own, float[] Weights, float[] Values) Measure(IEnumerable<float> values, int rows, int columns, double[] moments, bool transposed)
    {
        using var folder = new TempFolder();
        float[] weights = [.. values], dequantized = new float[weights.Length];
        new TestModel().Add("a", [rows, columns], weights).Write(folder["m.safetensors"]);
        File.WriteAllText(folder["compress.yaml"], "method: uniform\nbits: 2\ngranularity: channel\nlayers:\n- match: a\n  method: uniform\n");
        Assert.NotNull(Compressor.Run(new(folder["m.safetensors"], folder["compress.yaml"], folder["p.safetensors"]), new(), null, CancellationToken.None));
        using var model = ModelFile.Open(folder["m.safetensors"]);
        using var packed = PackedModel.OpenFile(folder["p.safetensors"]);
        packed["a"].Dequantize(dequantized);
        return (OutputError.Of(model["a"], packed["a"], moments, transposed), weights, dequantized);
    }
}
