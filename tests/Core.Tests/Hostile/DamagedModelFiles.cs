using System.Buffers.Binary;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Xunit.Abstractions;

namespace Compress.Core.Tests.Hostile;

/// <summary>Model files of other formats than safetensors, damaged: each gives a diagnostic, or tensors whose every element can be read.</summary>
[Collection(nameof(Fuzz))]
public sealed class DamagedModelFiles(ITestOutputHelper output) : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void OfTorchSharp() => Read("m.dat", 11_000_000, new DatFile()
        .Add("fc.weight", 6, [3, 4], new byte[48]).Add("fc.bias", 15, [3], new byte[6]).Add("steps", 4, [], new byte[8]).Add("mask", 11, [2, 2], new byte[4]).ToArray());

    [Fact]
    public void OfPyTorch() => Read("m.pt", 12_000_000, File.ReadAllBytes(Path.Combine(Assets.PyTorch, "plain.pt")));

    [Fact]
    public void OfOldPyTorch() => Read("m.bin", 13_000_000, File.ReadAllBytes(Path.Combine(Assets.PyTorch, "plain.legacy.pt")));

    [Fact]
    public void OfGguf() => Read("m.gguf", 15_000_000, File.ReadAllBytes(Path.Combine(Assets.Gguf, "types.gguf")));

    [Fact]
    public void OfGgufOfLlama() => Read("m.gguf", 16_000_000, File.ReadAllBytes(Path.Combine(Assets.Gguf, "llama.gguf")));

    [Fact]
    public void OfLlama2C() => Read("m.bin", 17_000_000, Llama2CFile.Of(version: 0));

    [Fact]
    public void OfLlama2CInGroups() => Read("m.bin", 18_000_000, Llama2CFile.Of(version: 2, groupSize: 4));

    // The pickle alone, so that most damages meet the interpreter and few the archive.
    [Fact]
    public void PickleOfPyTorch()
    {
        byte[] file = File.ReadAllBytes(Path.Combine(Assets.PyTorch, "state_dict.pt"));
        int start = 30 + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(26)) + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(28));
        int end = file.AsSpan().IndexOf("PK\x07\x08"u8);
        end = end < 0 ? file.AsSpan(4).IndexOf("PK\x03\x04"u8) + 4 : end;
        Fuzz.Mutations(output, 14_000_000, file[start..end], pickle =>
        {
            var archive = new TorchFile().Add("m/data.pkl", pickle);
            for (int key = 0; key < 40; key++)
            {
                archive.Add($"m/data/{key}", new byte[200]);
            }

            return Open("m.pt", archive.ToArray());
        });
    }

    private void Read(string name, int seed, byte[] original) => Fuzz.Mutations(output, seed, original, bytes => Open(name, bytes));

    private Diagnostics.Diagnostic? Open(string name, byte[] bytes)
    {
        File.WriteAllBytes(folder[name], bytes);
        return Fuzz.Caught(() =>
        {
            using var model = ModelFile.Open(folder[name]);
            foreach (var tensor in model.Tensors)
            {
                tensor.ContentHash();
                tensor.FirstNonFinite();
            }
        });
    }
}
