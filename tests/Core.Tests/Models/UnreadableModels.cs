using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Models;

public sealed class UnreadableModel : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void IsNotThere() => Expect(Codes.ModelNotReadable, "no such model file or folder", folder["none.safetensors"]);

    [Fact]
    public void IsOfNoKnownFormat()
    {
        File.WriteAllBytes(folder["model.onnx"], [.. "GGUF"u8, 3, 0, 0, 0, 1]);
        Expect(Codes.ModelUnknownFormat, "'model.onnx' begins with the bytes 4747554603000000, which is no known model format", folder["model.onnx"]);
        Expect(Codes.ModelUnknownFormat, "safetensors (*.safetensors", folder["model.onnx"]);
    }

    [Fact]
    public void IsAFolderWithoutAModel() => Expect(Codes.ModelUnknownFormat, "a folder without a model file", folder.Path);

    [Fact]
    public void IsEmptyAndUnknown()
    {
        File.WriteAllBytes(folder["model.bin"], []);
        Expect(Codes.ModelUnknownFormat, "'model.bin' is empty", folder["model.bin"]);
    }

    [Fact]
    public void IsAnEmptyFile()
    {
        File.WriteAllBytes(folder["m.safetensors"], []);
        Expect(Codes.ModelMalformed, "the file has 0 bytes", folder["m.safetensors"]);
    }

    [Fact]
    public void IsTruncated()
    {
        string path = new TestModel().Add("a", [3], 1, 2, 3).Write(folder["m.safetensors"]);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
        Expect(Codes.ModelMalformed, "tensor 'a' ends at byte 12 of the data, but the file has 11 bytes of data: truncated?", path);
    }

    [Fact]
    public void HasNoTensor() => Expect(Codes.ModelEmpty, "holds no tensor", new TestModel().Write(folder["m.safetensors"]));

    [Fact]
    public void HasATensorThatIsNoMatrix()
    {
        string path = new TestModel().Add("a", DType.U8, [3_000_000_000, 0], []).Write(folder["m.safetensors"]);
        Expect(Codes.ModelTensorTooLarge, "tensor 'a' [3000000000, 0] is a matrix of 3000000000 × 0; a side has at most 2147483647", path);
    }

    [Fact]
    public void MayNotBeRead()
    {
        string path = new TestModel().Add("a", [1], 1).Write(folder["m.safetensors"]);
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            return; // who may read everything cannot be refused
        }

        File.SetUnixFileMode(path, UnixFileMode.None);
        Expect(Codes.ModelNotReadable, "cannot be read", path);
    }

    private static void Expect(string code, string message, string path)
    {
        var diagnostic = Assert.Throws<CompressException>(() => ModelFile.Open(path)).Diagnostic;
        Assert.Equal((code, path), (diagnostic.Code, diagnostic.File));
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
    }
}

public sealed class ModelThatChanges : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void IsNoticed()
    {
        string path = new TestModel().Add("a", [2], 1, 2).Write(folder["m.safetensors"]);
        using var model = ModelFile.Open(path);
        model.ThrowIfChanged();
        model["a"].ThrowIfChanged();

        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-1)); // older is another model too

        var diagnostic = Assert.Throws<CompressException>(model.ThrowIfChanged).Diagnostic;
        Assert.Equal((Codes.ModelChanged, path), (diagnostic.Code, diagnostic.File));
        Assert.Throws<CompressException>(model["a"].ThrowIfChanged);
    }

    [Fact]
    public void IsNoticedWhenItIsReplacedOrGone()
    {
        string path = new TestModel().Add("a", [2], 1, 2).Write(folder["m.safetensors"]);
        using var model = ModelFile.Open(path);
        if (OperatingSystem.IsWindows())
        {
            return; // a mapped file cannot be replaced there
        }

        File.Move(new TestModel().Add("a", [3], 1, 2, 3).Write(folder["other"]), path, overwrite: true);
        Assert.Throws<CompressException>(model.ThrowIfChanged);
        File.Delete(path);
        Assert.Throws<CompressException>(model.ThrowIfChanged);

        float[] values = new float[2];
        model["a"].ReadRows(0, 1, values);
        Assert.Equal([1f, 2f], values); // what was mapped stays
    }
}
