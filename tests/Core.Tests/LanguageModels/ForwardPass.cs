using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.LanguageModels;

public sealed class ForwardPass : IDisposable
{
    private readonly TinyLlama tiny = new();

    public void Dispose() => tiny.Dispose();

    [Fact]
    public void LaterTokensDoNotChangeEarlierLogits()
    {
        using var model = LanguageModel.Open(tiny.Write());
        int[] tokens = [1, 5, 9, 0, 3, 3, 7];
        float[] all = Logits(model, tokens);
        for (int length = 1; length < tokens.Length; length++)
        {
            float[] part = Logits(model, tokens[..length]);
            Assert.All(Enumerable.Range(0, part.Length), i => Assert.Equal(all[i], part[i], 1e-5));
        }
    }

    [Fact]
    public void NoTokensGiveNoLogits()
    {
        using var model = LanguageModel.Open(tiny.Write());
        model.Forward([], []);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void TokensOutOfTheVocabularyAreNamed(int token)
    {
        using var model = LanguageModel.Open(tiny.Write());
        var diagnostic = Assert.Throws<CompressException>(() => Logits(model, [1, token])).Diagnostic;
        Assert.Equal(Codes.LanguageModelTokens, diagnostic.Code);
        Assert.Contains($"token {token} is not in the model's vocabulary of 10", diagnostic.Message);
    }

    [Fact]
    public void SequencesLongerThanThePositionsAreRefused()
    {
        using var model = LanguageModel.Open(tiny.Write());
        Assert.Equal(16, model.MaxPositions);
        Logits(model, new int[16]);
        Assert.Throws<ArgumentException>(() => Logits(model, new int[17]));
        Assert.Throws<ArgumentException>(() => model.Forward([1, 2], new float[19]));
    }

    [Fact]
    public void StoriesOfAModelThatIsUsedFromItsFile()
    {
        using var source = ModelFile.Open(Assets.Stories);
        using var model = LanguageModel.Open(source);
        Assert.Equal(("LlamaForCausalLM", 512, 512), (model.Architecture, model.VocabularySize, model.MaxPositions));
        Assert.Equal(47, model.TensorNames.Count());
    }

    [Fact]
    public void ATensorIsSwappedAndSwappedBack()
    {
        tiny.Write();
        using var source = ModelFile.Open(tiny.Folder);
        using var model = LanguageModel.Open(source);
        int[] tokens = [1, 2, 3];
        float[] before = Logits(model, tokens);
        foreach (string name in model.TensorNames)
        {
            // A stored zero matrix is the most different one.
            long[] shape = [.. source[name].Shape];
            using var zeros = Zeros(name, shape);
            model.Use(name, zeros[name]);
            Assert.NotEqual(before, Logits(model, tokens));
            model.Use(name, null);
            Assert.Equal(before, Logits(model, tokens));
        }
    }

    [Fact]
    public void APackedModelGivesWhatItHas()
    {
        tiny.Write();
        using var source = ModelFile.Open(tiny.Folder);
        using var zeros = Zeros("lm_head.weight", [10, 8]);
        using var model = LanguageModel.Open(source, zeros);
        Assert.All(Logits(model, [4, 2]), logit => Assert.Equal(0f, logit));
    }

    // Layers with one input rotate it once if they agree in how; the keys here do not, nor does what is kept.
    [Theory]
    [InlineData("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")]
    [InlineData("mlp.gate_proj", "mlp.up_proj", "mlp.up_proj")]
    public void PackedLayersWithOneInputGiveWhatTheirWeightsGive(string first, string other, string last)
    {
        tiny.Write();
        using var source = ModelFile.Open(tiny.Folder);
        using LanguageModel packed = LanguageModel.Open(source), decoded = LanguageModel.Open(source);
        foreach (var (layer, seed) in new[] { (first, 1UL), (other, 2UL), (last, 1UL) })
        {
            string name = $"model.layers.0.{layer}.weight";
            var tensor = source[name];
            var encoded = Encoders.Of("higgs", seed, ("n", 200)).Encode(tensor, null, CancellationToken.None);
            var opened = DecodedTensor.Open(encoded, tensor.DType, tensor.Shape);
            float[] weights = new float[opened.Count];
            opened.Dequantize(weights);
            packed.Use(name, opened);
            decoded.Use(name, Kept(name, [.. tensor.Shape], weights)[name]);
        }

        int[] tokens = [3, 1, 4, 1, 5];
        Assert.All(Logits(decoded, tokens).Zip(Logits(packed, tokens)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    // Scales are trained with the bias that products add in the application.
    [Fact]
    public void OtherValuesKeepWhatProductsAdd()
    {
        const string Name = "model.layers.0.mlp.up_proj.weight";
        tiny.Write();
        using var source = ModelFile.Open(tiny.Folder);
        using LanguageModel packed = LanguageModel.Open(source), other = LanguageModel.Open(source);
        var tensor = source[Name];
        var statistics = new LayerStatistics { Tokens = 1, InputMeans = [.. Enumerable.Repeat(3.0, tensor.Columns)] };
        var opened = DecodedTensor.Open(Encoders.Of("cvxq", ("bits", 2.0), ("biasCorrection", true)).Encode(tensor, statistics, CancellationToken.None), tensor.DType, tensor.Shape);
        Assert.False(opened.OutputBias.IsEmpty);
        float[] weights = new float[opened.Count];
        opened.Dequantize(weights);
        packed.UseDequantized(Name, opened);
        other.UseDequantized(Name, opened);
        other.UseValues(Name, weights);
        Assert.Equal(Logits(packed, [3, 1, 4]), Logits(other, [3, 1, 4]));
        other.UseValues(Name, weights);
        Assert.Equal(Logits(packed, [3, 1, 4]), Logits(other, [3, 1, 4]));
        other.Use(Name, null);
        other.UseValues(Name, weights);
        Assert.NotEqual(Logits(packed, [3, 1, 4]), Logits(other, [3, 1, 4]));
    }

    [Theory]
    [InlineData("lm_head.weight", 9, "the packed tensor 'lm_head.weight' is [9, 8], but the model's is [10, 8]")]
    [InlineData("fc.weight", 10, "the packed model has no tensor of the model")]
    public void AnotherModelsPackedFormIsRefused(string name, int rows, string says)
    {
        tiny.Write();
        using var source = ModelFile.Open(tiny.Folder);
        using var other = Zeros(name, [rows, 8]);
        var diagnostic = Assert.Throws<CompressException>(() => LanguageModel.Open(source, other)).Diagnostic;
        Assert.Equal(Codes.LanguageModelPacked, diagnostic.Code);
        Assert.Contains(says, diagnostic.Message);
    }

    private PackedModel Zeros(string name, long[] shape) => Kept(name, shape, new float[shape.Aggregate(1L, (a, b) => a * b)]);

    private PackedModel Kept(string name, long[] shape, float[] values)
    {
        string file = new TestModel().Add(name, shape, values).Write(Path.Combine(tiny.Folder, "kept"));
        return PackedModel.FromBytes(File.ReadAllBytes(file));
    }

    private static float[] Logits(LanguageModel model, int[] tokens)
    {
        float[] logits = new float[tokens.Length * model.VocabularySize];
        model.Forward(tokens, logits);
        return logits;
    }
}
