using System.Text.Json;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Models.Formats;
using Compress.Core.Models.Formats.Safetensors;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Models;

/// <summary>A model in two shards: tensors a and c in the first, b in the second.</summary>
public abstract class ShardedModelTest : IDisposable
{
    internal const string First = "model-00001-of-00002.safetensors";
    internal const string Second = "sub/model-00002-of-00002.safetensors";

    internal TempFolder Folder { get; } = new();

    internal string Index => Folder["model.safetensors.index.json"];

    protected ShardedModelTest()
    {
        Directory.CreateDirectory(Folder["sub"]);
        new TestModel().Add("a", [2], 1, 2).Add("c", [1], 3).Write(Folder[First]);
        new TestModel().Add("b", [2], 4, 5).Write(Folder[Second]);
        WriteIndex(("a", First), ("b", Second), ("c", First));
    }

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    internal void WriteIndex(params (string Tensor, string File)[] map) => File.WriteAllText(Index, JsonSerializer.Serialize(
        new { metadata = new { total_size = 20 }, weight_map = map.ToDictionary(pair => pair.Tensor, pair => pair.File) }));

    internal string Error()
    {
        var diagnostic = Assert.Throws<CompressException>(() => ModelFile.ReadHeader(Index)).Diagnostic;
        Assert.Equal((Codes.ModelMalformed, Index), (diagnostic.Code, diagnostic.File));
        return diagnostic.Message;
    }
}

public class ShardedModel : ShardedModelTest
{
    [Fact]
    public void IsOneModel()
    {
        using var model = ModelFile.Open(Index);
        Assert.Equal(["a", "b", "c"], model.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([Index, Folder[First], Folder[Second]], model.Header.Files);
        float[] values = new float[2];
        model["b"].ReadRows(0, 1, values);
        Assert.Equal([4f, 5f], values);
    }

    [Fact]
    public void IsFoundInItsFolder() => Assert.Equal(3, ModelFile.ReadHeader(Folder.Path).Tensors.Count);

    [Fact]
    public void YieldsToASingleFileInItsFolder()
    {
        string single = new TestModel().Add("only", [1], 1).Write(Folder["model.safetensors"]);
        Assert.Equal([single], ModelFile.ReadHeader(Folder.Path).Files);
    }

    [Fact]
    public void MayHaveAByteOrderMark()
    {
        File.WriteAllBytes(Index, [0xEF, 0xBB, 0xBF, .. File.ReadAllBytes(Index)]);
        Assert.Equal(3, ModelFile.ReadHeader(Index).Tensors.Count);
    }

    [Fact]
    public void IsFollowedThroughLinks()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // links need a privilege there
        }

        // As in Hugging Face's cache: the folder holds links, the files lie elsewhere under other names.
        Directory.CreateDirectory(Folder["blobs"]);
        File.Move(Folder[First], Folder["blobs", "1"]);
        File.CreateSymbolicLink(Folder[First], Folder["blobs", "1"]);
        using var model = ModelFile.Open(Index);
        model.ThrowIfChanged();
        Assert.Equal(Folder[First], model["a"].File);
    }
}

public class IndexThatDoesNotAgree : ShardedModelTest
{
    [Fact]
    public void NamesTheMissingShard()
    {
        File.Delete(Folder[Second]);
        Assert.Contains($"shard '{Second}' is not there", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void NamesATensorThatItsShardLacks()
    {
        WriteIndex(("a", First), ("b", Second), ("c", First), ("d", Second));
        Assert.Contains($"places tensor 'd' in '{Second}', which does not hold it", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void NamesATensorThatItLacks()
    {
        WriteIndex(("a", First), ("b", Second));
        Assert.Contains($"'{First}' holds tensor 'c', which the 'weight_map' does not have", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void NamesATensorInTheWrongShard()
    {
        WriteIndex(("a", First), ("b", Second), ("c", Second));
        Assert.Contains($"'{First}' holds tensor 'c', which the 'weight_map' places in '{Second}'", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void NamesTheMalformedShardItself()
    {
        File.WriteAllText(Folder[Second], "no");
        Assert.Equal(Folder[Second], Assert.Throws<CompressException>(() => ModelFile.ReadHeader(Index)).Diagnostic.File);
    }
}

public class IndexThatLeavesItsFolder : ShardedModelTest
{
    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("sub/../../model.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("\\\\server\\share")]
    [InlineData("C:/model.safetensors")]
    [InlineData("sub\\model.safetensors")]
    [InlineData("./model.safetensors")]
    [InlineData("sub//model.safetensors")]
    [InlineData("")]
    [InlineData("a\0b")]
    public void IsRefused(string file)
    {
        WriteIndex(("a", file));
        Assert.Contains("stays inside the index's folder", Error(), StringComparison.Ordinal);
    }
}

public class MalformedIndex : ShardedModelTest
{
    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("{", "not JSON")]
    [InlineData("{} {}", "not JSON")]
    [InlineData("[]", "no JSON object")]
    [InlineData("{}", "no 'weight_map'")]
    [InlineData("""{"weight_map":[]}""", "is no object")]
    [InlineData("""{"weight_map":{"a":1}}""", "no file name for tensor 'a'")]
    [InlineData("""{"weight_map":{"a":"f","a":"f"}}""", "tensor 'a' stands twice")]
    [InlineData("""{"weight_map":{},"weight_map":{}}""", "'weight_map' stands twice")]
    [InlineData("""{"weight_map":{"\udc00":"f"}}""", "not valid Unicode")]
    public void SaysWhatIsWrong(string index, string message)
    {
        File.WriteAllText(Index, index);
        Assert.Contains(message, Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void MayNestDeeply()
    {
        File.WriteAllText(Index, $$"""{"metadata":{{new string('[', 1_000_000)}}""");
        Assert.Contains("not JSON", Error(), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutTensorsIsAnEmptyModel()
    {
        WriteIndex();
        Assert.Equal(Codes.ModelEmpty, Assert.Throws<CompressException>(() => ModelFile.ReadHeader(Index)).Diagnostic.Code);
    }

    [Fact]
    public void IsReadOrRefusedWhenDamaged()
    {
        byte[] original = File.ReadAllBytes(Index);
        int read = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            File.WriteAllBytes(Index, Damaged(original, seed));
            try
            {
                read += new SafetensorsFormat().ReadHeader(Index).Tensors.Count == 3 ? 1 : 0;
            }
            catch (ModelFormatException)
            {
                // Refused, as it should be.
            }
        }

        Assert.InRange(read, 50, 1500); // some damages change the metadata only: the test reaches both ends
    }

    private static byte[] Damaged(byte[] original, int seed)
    {
        var random = new Random(seed);
        byte[] bytes = [.. original];
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(bytes.Length);
            bytes = random.Next(3) switch
            {
                0 => [.. bytes[..at], .. bytes[Math.Min(at + random.Next(1, 9), bytes.Length)..], (byte)' '],
                1 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                _ => [.. bytes[..at], "\"{}[],:\\0./ "u8[random.Next(12)], .. bytes[(at + 1)..]],
            };
        }

        return bytes;
    }
}
