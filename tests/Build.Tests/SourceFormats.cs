using Compress.Build.Tests.Infra;
using Compress.Core.Models.Formats;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Build.Tests;

/// <summary>One model in the files of several programs, and a checkpoint with several models: each an item like any other.</summary>
public sealed class SourceFormats
{
    private static readonly string Assets = Path.Combine(TestRun.Repository, "tests", "assets");

    [Fact]
    public void GiveClassesOfTheSameModel()
    {
        using var app = new TestProject("App", """
            <CompressedModel Include="Models/of_safetensors.safetensors;Models/of_pytorch.pt;Models/of_torchsharp.dat;Models/of_gguf.gguf;Models/of_llama2c.bin" />
            <CompressedModel Include="Models/pair.pt" ClassName="Encoder" Recipe="Models/encoder.yaml" />
            <CompressedModel Include="Models/pair.pt" ClassName="Decoder" Recipe="Models/decoder.yaml" />
            """);
        string stories = Path.Combine(Assets, "stories260K", "model.safetensors");
        Directory.CreateDirectory(app.PathOf("Models"));
        File.Copy(stories, app.PathOf("Models/of_safetensors.safetensors"));
        File.Copy(Path.Combine(Assets, "stories260K", "pytorch_model.bin"), app.PathOf("Models/of_pytorch.pt"));
        File.Copy(Path.Combine(Assets, "stories260K", "stories260K.gguf"), app.PathOf("Models/of_gguf.gguf"));
        File.Copy(Path.Combine(Assets, "stories260K", "stories260K.bin"), app.PathOf("Models/of_llama2c.bin"));
        File.Copy(Path.Combine(Assets, "pytorch", "pair.pt"), app.PathOf("Models/pair.pt"));
        File.WriteAllBytes(app.PathOf("Models/of_torchsharp.dat"), Dat(stories));
        app.Write("Models/encoder.yaml", "keep: source\nsource: { stateDict: encoder }\n");
        app.Write("Models/decoder.yaml", "keep: source\nsource:\n  stateDict: 'decoder'\n");
        app.Write("Program.cs", """
            using var expected = App.OfSafetensors.Load();
            using var pytorch = App.OfPytorch.Load();
            using var torchSharp = App.OfTorchsharp.Load();
            using var llama2c = App.OfLlama2c.Load();
            using var gguf = App.OfGguf.Load();
            foreach (var other in new[] { pytorch.Packed, torchSharp.Packed, llama2c.Packed, gguf.Packed })
            {
                Console.Write($"{other.Names.Count(expected.Packed.Contains)} of {other.Names.Count}, {expected.Names.Count(name => Same(expected[name], other[name]))} the same; ");
            }

            using var encoder = App.Encoder.Load();
            using var decoder = App.Decoder.Load();
            Console.Write($"{encoder.Names.Count} {decoder.Names.Count} {encoder.Transposed.Shape[0]} {decoder.W.Shape[0]}");

            static bool Same(Compress.Runtime.PackedTensor a, Compress.Runtime.PackedTensor b)
            {
                float[] x = new float[a.Count], y = new float[b.Count];
                a.Dequantize(x);
                b.Dequantize(y);
                return x.AsSpan().SequenceEqual(y);
            }
            """);

        Assert.Empty(app.Build().MustSucceed().Warnings);
        // GGUF has the embedding a second time, as the head.
        Assert.Equal("47 of 47, 47 the same; 47 of 47, 47 the same; 47 of 47, 47 the same; 47 of 48, 47 the same; 21 1 8 6", app.RunApp());
        byte[][] packed = [.. new[] { "safetensors", "pytorch", "torchsharp", "llama2c" }
            .Select(name => File.ReadAllBytes(Assert.Single(app.PackedFiles, file => Path.GetFileName(file) == $"of_{name}.packed.safetensors")))];
        Assert.All(packed, bytes => Assert.Equal(packed[0], bytes));

        // The class is of the dictionary that the recipe names, so it changes with the recipe; a name that is not there is an error at its place.
        app.Write("Models/decoder.yaml", "keep: source\nsource: { stateDict: decode }\n");
        var error = Assert.Single(app.Build().MustFail().Errors);
        Assert.Equal(("CMPR2011", app.PathOf("Models/decoder.yaml"), 2), (error.Code, error.File, error.LineNumber));
        app.Write("Models/decoder.yaml", "keep: source\nsource: { stateDict: encoder }\n");
        app.Write("Program.cs", "Console.Write(App.Decoder.Load().Transposed.Shape[0]);");
        app.Build().MustSucceed();
        Assert.Equal("8", app.RunApp());
    }

    private static byte[] Dat(string safetensors)
    {
        byte[] file = File.ReadAllBytes(safetensors);
        var dat = new DatFile();
        foreach (var tensor in ModelFormats.Find(safetensors)!.ReadHeader(safetensors).Tensors)
        {
            Assert.Equal(DType.F32, tensor.DType);
            dat.Add(tensor.Name, 6, [.. tensor.Shape], file[(int)tensor.Offset..(int)(tensor.Offset + tensor.ByteLength)]);
        }

        return dat.ToArray();
    }
}
