using System.Runtime.InteropServices;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime;

namespace Compress.Core.Tests.LanguageModels;

/// <summary>Models with random weights whose logits were computed by tests/assets/language-models/golden.py with PyTorch.</summary>
public class GoldenLogits
{
    private static readonly string[] Names = ["gpt2", "gpt2-old", "llama", "llama-bias", "llama-linear", "mistral", "opt", "opt-post", "qwen2"];

    public static TheoryData<string> Models => [.. Names];

    [Fact]
    public void AreAllChecked() => Assert.Equal(
        Names, Directory.GetDirectories(Assets.LanguageModels).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal));

    [Theory, MemberData(nameof(Models))]
    public void AgreeWithPyTorch(string name)
    {
        string folder = Path.Combine(Assets.LanguageModels, name);
        using var model = LanguageModel.Open(folder);
        using var golden = ModelFile.Open(Path.Combine(folder, "golden.safetensors"));
        int[] tokens = MemoryMarshal.Cast<byte, int>(golden["tokens"].Bytes(0, (int)golden["tokens"].ByteLength)).ToArray();
        float[] expected = new float[golden["logits"].Count];
        golden["logits"].ReadRows(0, tokens.Length, expected);
        Assert.Equal(expected.Length, tokens.Length * model.VocabularySize);

        // All at once, and few at a time: many tokens and few are multiplied by different kernels.
        Check(expected, model, tokens);
        foreach (int length in (int[])[1, 2, 17])
        {
            Check(expected.AsSpan(0, length * model.VocabularySize), model, tokens[..length]);
        }
    }

    /// <summary>The same weights, taken as kept tensors of a packed model: what stands in the packed file is what is computed with.</summary>
    [Theory, MemberData(nameof(Models))]
    public void AreTheSameFromAPackedModel(string name)
    {
        string folder = Path.Combine(Assets.LanguageModels, name);
        using var source = ModelFile.Open(folder);
        using var packed = PackedModel.OpenFile(Path.Combine(folder, "model.safetensors"));
        using var model = LanguageModel.Open(source);
        using var other = LanguageModel.Open(source, packed);
        int[] tokens = [.. Enumerable.Range(0, 37)];
        float[] expected = new float[tokens.Length * model.VocabularySize], actual = new float[expected.Length];
        model.Forward(tokens, expected);
        other.Forward(tokens, actual);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void DoNotDependOnThreads()
    {
        int before = RuntimeOptions.MaxThreads;
        foreach (string name in (string[])["gpt2", "mistral"])
        {
            using var model = LanguageModel.Open(Path.Combine(Assets.LanguageModels, name));
            int[] tokens = [.. Enumerable.Range(0, 37)];
            float[] one = new float[tokens.Length * model.VocabularySize], many = new float[one.Length];
            try
            {
                RuntimeOptions.MaxThreads = 1;
                model.Forward(tokens, one);
                RuntimeOptions.MaxThreads = 5;
                model.Forward(tokens, many);
            }
            finally
            {
                RuntimeOptions.MaxThreads = before;
            }

            Assert.Equal(one, many);
        }
    }

    private static void Check(ReadOnlySpan<float> expected, LanguageModel model, int[] tokens)
    {
        float[] logits = new float[expected.Length];
        model.Forward(tokens, logits);
        for (int i = 0; i < logits.Length; i++)
        {
            Assert.True(Math.Abs(logits[i] - expected[i]) <= 1e-4, $"token {i / model.VocabularySize}, logit {i % model.VocabularySize}: {logits[i]}, expected {expected[i]}");
        }
    }
}
