using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Gradients;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.LanguageModels.Gradients;

public sealed class BackwardPasses
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 37)];

    [Theory]
    [InlineData("gpt2")]
    [InlineData("mistral")]
    [InlineData("opt-post")]
    public void DoNotDependOnThreads(string name)
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, name));
        int before = RuntimeOptions.MaxThreads;
        try
        {
            RuntimeOptions.MaxThreads = 1;
            var one = ExactGradients.OfCrossEntropy(source, Tokens);
            RuntimeOptions.MaxThreads = 5;
            AssertSame(one.Gradients, ExactGradients.OfCrossEntropy(source, Tokens).Gradients);
        }
        finally
        {
            RuntimeOptions.MaxThreads = before;
        }
    }

    [Fact]
    public void OfOneRecordAreTheSameEachTime()
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, "llama-bias"));
        using var model = LanguageModel.Open(source);
        using var pass = model.Record(Tokens);
        float[] gradient = TestModel.Gaussian(Tokens.Length * pass.HiddenWidth, 3);
        AssertSame(FromHidden(source, pass, gradient), FromHidden(source, pass, gradient));
    }

    /// <summary>Attention is causal: nothing after the last token with a gradient matters.</summary>
    [Fact]
    public void StopAtTheLastTokenWithAGradient()
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, "qwen2"));
        using var model = LanguageModel.Open(source);
        using RecordedPass all = model.Record(Tokens), few = model.Record(Tokens.AsSpan(0, 20));
        float[] gradient = new float[Tokens.Length * all.HiddenWidth];
        gradient[19 * all.HiddenWidth] = 1;
        var observed = new List<int>();
        var ofAll = FromHidden(source, all, gradient, observed);
        Assert.All(observed, tokens => Assert.Equal(20, tokens));
        AssertSame(FromHidden(source, few, gradient[..(20 * all.HiddenWidth)]), ofAll);
    }

    [Fact]
    public void WithoutAnyGradientTellNothing()
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, "gpt2"));
        using var model = LanguageModel.Open(source);
        using RecordedPass pass = model.Record(Tokens), nothing = model.Record([]);
        Assert.Empty(FromHidden(source, pass, new float[Tokens.Length * pass.HiddenWidth]));
        Assert.Empty(FromHidden(source, nothing, []));
        nothing.ReadHidden([]);
        nothing.ReadLogits([]);
    }

    [Fact]
    public void GiveTheLogitsOfTheForwardPass()
    {
        using var model = LanguageModel.Open(Path.Combine(Assets.LanguageModels, "opt-post"));
        using var pass = model.Record(Tokens);
        float[] expected = new float[Tokens.Length * model.VocabularySize], logits = new float[expected.Length];
        model.Forward(Tokens, expected);
        pass.ReadLogits(logits);
        Assert.Equal(expected, logits);
    }

    /// <summary>Packed weights, here kept ones, are what is differentiated.</summary>
    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    public void UseWhatATensorWasReplacedBy(string name)
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, name));
        using var packed = PackedModel.OpenFile(source.Header.Files[0]);
        using LanguageModel model = LanguageModel.Open(source), other = LanguageModel.Open(source, packed);
        using RecordedPass pass = model.Record(Tokens), otherPass = other.Record(Tokens);
        float[] gradient = TestModel.Gaussian(Tokens.Length * pass.HiddenWidth, 3);
        AssertSame(FromHidden(source, pass, gradient), FromHidden(source, otherPass, gradient));
    }

    [Fact]
    public void RefuseGradientsOfAnotherLength()
    {
        using var source = ModelFile.Open(Path.Combine(Assets.LanguageModels, "gpt2"));
        using var model = LanguageModel.Open(source);
        using var pass = model.Record([1, 2, 3]);
        var observer = new GradientCollector { Length = _ => 0 };
        Assert.Throws<ArgumentException>(() => pass.BackwardFromHidden(new float[(3 * pass.HiddenWidth) - 1], observer));
        Assert.Throws<ArgumentException>(() => pass.BackwardFromLogits(new float[(3 * pass.VocabularySize) + 1], observer));
        Assert.Throws<ArgumentException>(() => model.Record(new int[model.MaxPositions + 1]));
    }

    private static Dictionary<string, float[]> FromHidden(ModelFile source, RecordedPass pass, float[] gradient, List<int>? observed = null)
    {
        var collector = new GradientCollector { Length = tensor => source[tensor].Count, Observed = observed };
        pass.BackwardFromHidden(gradient, collector);
        return new(collector.Gradients);
    }

    private static void AssertSame(IReadOnlyDictionary<string, float[]> expected, IReadOnlyDictionary<string, float[]> actual)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(expected, pair => Assert.Equal(pair.Value, actual[pair.Key]));
    }
}
