using System.Security.Cryptography;
using System.Text;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Models.Formats;

/// <summary>What is packed follows from the weights, not from the file that they came in.</summary>
public sealed class SameModelInEveryContainer : FormatTest
{
    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("pytorch_model.legacy.bin")]
    [InlineData("stories260K.bin")]
    [InlineData("stories260K_v1_f32.bin")]
    public void GivesTheSameTensors(string name)
    {
        using var expected = ModelFile.Open(Assets.Stories);
        using var actual = ModelFile.Open(Beside(name));
        SameTensors(expected, actual);
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("pytorch_model.legacy.bin")]
    [InlineData("stories260K.bin")]
    [InlineData("stories260K_v1_f32.bin")]
    public void GivesTheSamePackedBytes(string name) => Assert.Equal(Packed(Assets.Stories), Packed(Beside(name)));

    // llama.cpp's converter writes the embedding of a tied model a second time, as the head. All else is the same.
    [Fact]
    public void GivesTheSameTensorsFromGguf()
    {
        string expected = WithHead();
        using (ModelFile a = ModelFile.Open(expected), b = ModelFile.Open(Beside("stories260K.gguf")))
        {
            SameTensors(a, b);
        }

        Assert.Equal(Packed(expected), Packed(Beside("stories260K.gguf")));
    }

    // Rounded to 8 bits, so its weights are others: the same as those that numpy makes of it.
    [Fact]
    public void OfEightBitsGivesWhatItMeans()
    {
        using var model = ModelFile.Open(Beside("stories260K_q8.bin"));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var copy = new TestModel();
        foreach (var tensor in model.Tensors)
        {
            byte[] bytes = tensor.Bytes(0, (int)tensor.ByteLength).ToArray();
            hash.AppendData([.. Encoding.UTF8.GetBytes(tensor.Name), .. bytes]);
            copy.Add(tensor.Name, tensor.DType, [.. tensor.Shape], bytes);
        }

        Assert.Equal("3f3e6024d71a170aff5c4740e56d681cd719a46b1ea14d25f8e9aeb31963ec21", Convert.ToHexStringLower(hash.GetHashAndReset()));
        Assert.Equal(Packed(copy.Write(Write("q8.safetensors", []))), Packed(Beside("stories260K_q8.bin")));
    }

    // A config.json beside it is enough to run it, whatever the weights came in.
    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("stories260K.bin")]
    [InlineData("stories260K.gguf")]
    public void PredictsTheSame(string name) => Assert.Equal(Logits(Assets.Stories), Logits(Beside(name)));

    private static float[] Logits(string path)
    {
        using var model = LanguageModel.Open(path);
        int[] tokens = [1, 403, 407, 261];
        float[] logits = new float[tokens.Length * model.VocabularySize];
        model.Forward(tokens, logits);
        return logits;
    }

    private string WithHead()
    {
        using var model = ModelFile.Open(Assets.Stories);
        var copy = new TestModel();
        foreach (var tensor in model.Tensors)
        {
            copy.Add(tensor.Name, tensor.DType, [.. tensor.Shape], tensor.Bytes(0, (int)tensor.ByteLength).ToArray());
        }

        var embedding = model["model.embed_tokens.weight"];
        copy.Add("lm_head.weight", embedding.DType, [.. embedding.Shape], embedding.Bytes(0, (int)embedding.ByteLength).ToArray());
        return copy.Write(Write("head.safetensors", []));
    }

    private static string Beside(string name) => Path.Combine(Path.GetDirectoryName(Assets.Stories)!, name);

    private byte[] Packed(string model)
    {
        string recipe = Write("r.yaml", "method: higgs\nbits: 4\nlayers:\n  - { match: '*norm*', keep: bfloat16 }\n  - { match: '*mlp*', method: uniform, bits: 3 }\n"u8.ToArray());
        string packed = Write("packed", []);
        var diagnostics = new DiagnosticBag();
        Compressor.Run(new CompressionRequest(model, recipe, packed), diagnostics, null, CancellationToken.None);
        Assert.DoesNotContain(diagnostics.Items, item => item.Severity == Severity.Error);
        return File.ReadAllBytes(packed);
    }
}
