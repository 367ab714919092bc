using Compress.Core.Calibration;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels.Gradients;
using Compress.Runtime;

namespace Compress.Core.Tests.Calibration;

public class SquaredGradientsTests
{
    private static readonly int[][] Windows = [[5, 3, 60, 7, 7, 1, 0, 33, 21], [1, 2, 3, 4], [], [9]];

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama-bias")]
    public void OfCrossEntropyAreSquaresOfItsGradients(string name)
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, name));
        using var model = LanguageModel.Open(source);
        var squares = new SquaredGradients(_ => (1, 1));
        squares.AddCrossEntropies(model, Windows);
        var passes = Windows[..2].Select(window => ExactGradients.OfCrossEntropy(source, window).Gradients).ToArray();
        foreach (var (tensor, moments) in squares.Moments.Where(pair => pair.Key != "transformer.wte.weight"))
        {
            Assert.Equal(2, moments.Passes);
            Assert.Equal(Enumerable.Range(0, (int)source[tensor].Count).Select(i => passes.Sum(pass => (double)pass[tensor][i] * pass[tensor][i]) / 2), moments.Means());
        }

        Assert.Equal(name == "gpt2" ? 9 : 15, squares.Moments.Count);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama-bias")]
    public void OfOutputsAreSummedOverTokens(string name)
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, name));
        using var model = LanguageModel.Open(source);
        var squares = new SquaredGradients(_ => null, _ => true);
        squares.AddCrossEntropies(model, Windows);
        Assert.Empty(squares.Moments);
        Assert.Equal(11, squares.Predicted);
        var sums = new OutputSquares();
        foreach (int[] window in Windows[..2])
        {
            using var pass = model.Record(window);
            float[] logits = new float[window.Length * model.VocabularySize];
            pass.ReadLogits(logits);
            CrossEntropy.Backward(logits, [.. window.AsSpan(1), -1]);
            pass.BackwardFromLogits(logits, sums);
        }

        foreach (var (layer, moments) in squares.OutputMoments)
        {
            Assert.All(sums.Sums[layer].Zip(moments.Means()), pair => Assert.Equal(pair.First, pair.Second * moments.Passes, 1e-12 * (1 + pair.First)));
        }

        Assert.Equal(sums.Sums.Keys.Order(), squares.OutputMoments.Keys.Order());
    }

    private sealed class OutputSquares : IGradientObserver
    {
        public Dictionary<string, double[]> Sums { get; } = [];

        public void OnLinear(in LinearGradient gradient)
        {
            double[] sums = Sums.TryGetValue(gradient.Name, out var found) ? found : Sums[gradient.Name] = new double[gradient.OutputWidth];
            for (int i = 0; i < gradient.OutputGradients.Length; i++)
            {
                sums[i % sums.Length] += (double)gradient.OutputGradients[i] * gradient.OutputGradients[i];
            }
        }
    }

    /// <summary>Of the first window component 0 and of the second component 1, at the first token, the last, and between.</summary>
    [Fact]
    public void OfComponentsAreThoseAtTheirTokens()
    {
        const string Tensor = "model.layers.1.mlp.down_proj.weight";
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, "llama"));
        using var model = LanguageModel.Open(source);
        float[] components = TestModel.Gaussian(2 * model.HiddenWidth, 4);
        var squares = new SquaredGradients(name => name == Tensor ? (4, 1) : null);
        squares.AddComponents(model, Windows[..2], components, stride: 4);
        Assert.Equal([Tensor], squares.Moments.Keys);

        var expected = new GradientMoments(30, 43, 4, 1);
        foreach (var (window, token) in new[] { (0, 0), (0, 4), (0, 8), (1, 0), (1, 3) })
        {
            using var pass = model.Record(Windows[window]);
            float[] gradient = new float[pass.Tokens * pass.HiddenWidth];
            components.AsSpan(window * pass.HiddenWidth, pass.HiddenWidth).CopyTo(gradient.AsSpan(token * pass.HiddenWidth));
            var collector = new GradientCollector { Length = name => source[name].Count };
            pass.BackwardFromHidden(gradient, collector);
            expected.Add(collector.Gradients[Tensor]);
        }

        Assert.Equal(expected.Means(), squares.Moments[Tensor].Means());
        Assert.Equal(5, squares.Moments[Tensor].Passes);
    }

    [Fact]
    public void DoNotDependOnThreads()
    {
        using var model = LanguageModel.Open(Path.Combine(Assets.LanguageModels, "mistral"));
        int before = RuntimeOptions.MaxThreads;
        try
        {
            RuntimeOptions.MaxThreads = 1;
            var one = Means();
            RuntimeOptions.MaxThreads = 5;
            Assert.Equal(one, Means());
        }
        finally
        {
            RuntimeOptions.MaxThreads = before;
        }

        Dictionary<string, double[]> Means()
        {
            var squares = new SquaredGradients(_ => (3, 5));
            squares.AddCrossEntropies(model, Windows);
            return squares.Moments.ToDictionary(pair => pair.Key, pair => pair.Value.Means());
        }
    }
}
