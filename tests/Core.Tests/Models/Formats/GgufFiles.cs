using System.Buffers.Binary;
using System.Text;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Models.Formats;

/// <summary>The files and what they mean were made with numpy: tests/assets/gguf/golden.py.</summary>
public sealed class GgufFiles : FormatTest
{
    private static readonly byte[] Sample = File.ReadAllBytes(Golden("llama.gguf"));

    private static string Golden(string name) => Path.Combine(Assets.Gguf, name);

    // Whole and in parts, so that blocks are cut.
    [Theory]
    [InlineData("types")]
    [InlineData("llama")]
    public void MeanWhatTheirTypesSay(string name)
    {
        using var expected = ModelFile.Open(Golden(name + ".safetensors"));
        using var actual = ModelFile.Open(Golden(name + ".gguf"));
        SameTensors(expected, actual);
        foreach (var tensor in expected.Tensors)
        {
            int size = (int)(tensor.ByteLength / tensor.Count);
            for (int first = 0, count = 1; first + count <= tensor.Count; first += 7, count = (count * 3 % 50) + 1)
            {
                Assert.Equal(tensor.Bytes(first * size, count * size).ToArray(), actual[tensor.Name].Bytes(first * size, count * size).ToArray());
            }
        }
    }

    [Fact]
    public void AreReadToTheLastByte()
    {
        // The last tensor ends where its padding would.
        byte[] file = File.ReadAllBytes(Golden("llama.gguf"));
        EveryOtherLengthIsRefused("m.gguf", file);
    }

    [Fact]
    public void MustBeginAsGgufsDo() => Assert.Contains("does not begin with 'GGUF'", Refused("m.gguf", new byte[64]), StringComparison.Ordinal);

    [Theory]
    [InlineData(1, "version 1")]
    [InlineData(4, "version 4")]
    [InlineData(0x03000000, "big-endian")]
    public void MustBeOfAKnownVersion(int version, string message) => Assert.Contains(message, Refused("m.gguf", Changed(4, version)), StringComparison.Ordinal);

    [Fact]
    public void MayNotClaimWhatIsNotThere()
    {
        Assert.Contains("tensors; 1000000 are allowed", Refused("m.gguf", Changed(12, 1)), StringComparison.Ordinal);
        Assert.Contains("that cannot be", Refused("m.gguf", Changed(12, -1)), StringComparison.Ordinal);
        Assert.Contains("keys; 65536 are allowed", Refused("m.gguf", Changed(20, 1)), StringComparison.Ordinal);
        Assert.Contains("truncated", Refused("m.gguf", Changed(24, int.MaxValue)), StringComparison.Ordinal);
    }

    [Fact]
    public void MayNotHaveATensorTwice()
    {
        int at = Sample.AsSpan().IndexOf("blk.0.attn_v.weight"u8);
        byte[] file = [.. Sample];
        file[at + "blk.0.attn_".Length] = (byte)'q';
        Assert.Contains("stands twice", Refused("m.gguf", file), StringComparison.Ordinal);
    }

    [Fact]
    public void MustSayHowManyHeadsThereAre()
    {
        byte[] file = [.. Sample];
        file[file.AsSpan().IndexOf("head_count"u8)] = (byte)'H';
        Assert.Contains("an unknown number of heads", Refused("m.gguf", file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10u, "stored as Q2_K, which is not read; known are F32, F16, Q4_0, Q8_0, Q4_K, Q6_K, I8, I16, I32, I64, F64, BF16")]
    [InlineData(99u, "stored as ggml type 99")]
    public void MustBeOfTypesThatAreRead(uint type, string message)
    {
        byte[] file = [.. Sample];
        int at = file.AsSpan().IndexOf("blk.0.attn_v.weight"u8) + "blk.0.attn_v.weight".Length + 4 + 16;
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), type);
        Assert.Contains(message, Refused("m.gguf", file), StringComparison.Ordinal);
    }

    [Fact]
    public void MayNotBePartsOfAModel()
    {
        byte[] key = [.. BitConverter.GetBytes(11L), .. Encoding.ASCII.GetBytes("split.count"), .. BitConverter.GetBytes(2), .. BitConverter.GetBytes((ushort)3)];
        byte[] file = [.. "GGUF"u8, .. BitConverter.GetBytes(3), .. BitConverter.GetBytes(0L), .. BitConverter.GetBytes(1L), .. key];
        Assert.Contains("one of 3 parts", Refused("m.gguf", file), StringComparison.Ordinal);
    }

    private static byte[] Changed(int at, int value)
    {
        byte[] file = [.. Sample];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
        return file;
    }
}
