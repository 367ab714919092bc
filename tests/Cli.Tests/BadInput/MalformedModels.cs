using System.Text;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.BadInput;

/// <summary>Models that are not what they should be: one clear diagnostic, and the last good output is untouched.</summary>
public sealed class MalformedModels : IDisposable
{
    private readonly Workspace workspace = new();
    private readonly byte[] lastGood;

    public MalformedModels()
    {
        // What a build leaves behind before the model goes bad.
        lastGood = File.ReadAllBytes(workspace.Packed(workspace.Model(TestModel.Ordinary())));
    }

    [Theory]
    [InlineData("empty file")]
    [InlineData("shorter than its length field", 1, 2, 3)]
    [InlineData("header that leaves the file", 255, 0, 0, 0, 0, 0, 0, 0, 123)]
    [InlineData("header length beyond all files", 255, 255, 255, 255, 255, 255, 255, 127, 123)]
    [InlineData("negative header length", 0, 0, 0, 0, 0, 0, 0, 255, 123)]
    [InlineData("header of more than 100 MB", 1, 225, 245, 5, 0, 0, 0, 0, 123)]
    [InlineData("header that is no JSON", 2, 0, 0, 0, 0, 0, 0, 0, 123, 44)]
    [InlineData("header that is no UTF-8", 9, 0, 0, 0, 0, 0, 0, 0, 123, 34, 255, 254, 34, 58, 123, 125, 125)]
    public void FileThatIsNoSafetensors(string what, params int[] bytes)
    {
        File.WriteAllBytes(workspace["model.safetensors"], [.. bytes.Select(value => (byte)value)]);
        Refuses(what, Codes.ModelMalformed);
    }

    [Theory]
    [InlineData("offsets that leave the file", """{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}""", 12)]
    [InlineData("offsets that overlap", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12)]
    [InlineData("offsets that run backwards", """{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8)]
    [InlineData("size that does not fit the shape", """{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8)]
    [InlineData("shape beyond all numbers", """{"w":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,8]}}""", 8)]
    [InlineData("negative shape", """{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8)]
    [InlineData("unknown dtype", """{"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", 8)]
    [InlineData("duplicate names", """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]
    [InlineData("no offsets", """{"w":{"dtype":"F32","shape":[2]}}""", 8)]
    [InlineData("list instead of an object", """[]""", 0)]
    [InlineData("bytes that no tensor owns", """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 8)]
    public void HeaderThatLies(string what, string header, int dataBytes)
    {
        TestModel.WriteRaw(workspace["model.safetensors"], header, new byte[dataBytes]);
        Refuses(what, Codes.ModelMalformed);
    }

    [Fact]
    public void HeaderOfDeepNesting()
    {
        TestModel.WriteRaw(workspace["model.safetensors"], "{\"w\":" + new string('[', 100_000) + new string(']', 100_000) + "}", []);
        Refuses("deep nesting", Codes.ModelMalformed);
    }

    [Fact]
    public void ModelThatWasCutOff()
    {
        byte[] bytes = File.ReadAllBytes(workspace["model.safetensors"]);
        File.WriteAllBytes(workspace["model.safetensors"], bytes[..^1]);
        Refuses("cut off", Codes.ModelMalformed);
    }

    [Fact]
    public void ModelWithoutTensors()
    {
        TestModel.WriteRaw(workspace["model.safetensors"], "{}", []);
        Refuses("no tensors", Codes.ModelEmpty);
    }

    [Fact]
    public void FileOfAnotherKind()
    {
        File.WriteAllText(workspace["model.onnx"], "\u0008\u0008");
        Assert.Equal(ExitCodes.Errors, workspace.Run("run", "model.onnx", "--no-cache").ExitCode);
        workspace.Run("run", "model.onnx", "--no-cache").Single(Codes.ModelUnknownFormat);
    }

    [Fact]
    public void FileThatCannotBeOpened()
    {
        File.Delete(workspace["model.safetensors"]);
        File.CreateSymbolicLink(workspace["model.safetensors"], workspace["nowhere"]);
        Refuses("dangling link", Codes.ModelNotReadable);
    }

    [Fact]
    public void FolderWhereTheModelShouldBe()
    {
        File.Delete(workspace["model.safetensors"]);
        Directory.CreateDirectory(workspace["model.safetensors"]);
        Refuses("folder", Codes.ModelUnknownFormat);
    }

    [Fact]
    public void ShardThatIsMissing()
    {
        File.WriteAllText(workspace["big.safetensors.index.json"], """{"metadata":{},"weight_map":{"w":"big-00001-of-00002.safetensors"}}""", Encoding.UTF8);
        var outcome = workspace.Run("run", "big.safetensors.index.json", "--no-cache");
        Assert.Contains("big-00001-of-00002.safetensors", outcome.Single(Codes.ModelMalformed), StringComparison.Ordinal);
    }

    public void Dispose() => workspace.Dispose();

    private void Refuses(string what, string code)
    {
        string[] before = workspace.Files();
        var outcome = workspace.Run("run", "model.safetensors", "--cache", workspace.Cache);
        Assert.True(outcome.ExitCode == ExitCodes.Errors, what);
        Assert.StartsWith(workspace["model.safetensors"] + "(1,1): ", outcome.Single(code), StringComparison.Ordinal);
        Assert.Equal(before, workspace.Files());
        Assert.Equal(lastGood, File.ReadAllBytes(workspace["model.packed.safetensors"]));
    }
}
