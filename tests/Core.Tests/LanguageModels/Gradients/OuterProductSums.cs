using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.LanguageModels.Gradients;

public class OuterProductSums
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(37, 1, 5)]
    [InlineData(300, 70, 1)]
    [InlineData(5, 129, 25)]
    [InlineData(513, 66, 49)]
    public void AreThoseOfDoubles(int tokens, int outputs, int inputs)
    {
        float[] dy = TestModel.Gaussian(tokens * outputs, 1), x = TestModel.Gaussian(tokens * inputs, 2), weights = new float[outputs * inputs];
        var gradient = new LinearGradient
        {
            Name = "w", Tokens = tokens, InputWidth = inputs, OutputWidth = outputs, Inputs = x, OutputGradients = dy, Transposed = false,
        };
        float[] transposed = new float[weights.Length];
        gradient.Compute(weights);
        (gradient with { Transposed = true }).Compute(transposed);
        for (int i = 0; i < weights.Length; i++)
        {
            (int row, int column) = (i / inputs, i % inputs);
            double sum = Enumerable.Range(0, tokens).Sum(t => (double)dy[(t * outputs) + row] * x[(t * inputs) + column]);
            Assert.Equal(sum, weights[i], 1e-4);
            Assert.Equal(sum, transposed[(column * outputs) + row], 1e-4);
        }
    }

    [Fact]
    public void RefuseAnotherLength() => Assert.Throws<ArgumentException>(() => new LinearGradient
    {
        Name = "w", Tokens = 1, InputWidth = 2, OutputWidth = 3, Inputs = [1, 2], OutputGradients = [1, 2, 3], Transposed = false,
    }.Compute(new float[5]));
}
