using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Models.Formats;

/// <summary>The files and what should be in them are PyTorch's own: tests/assets/pytorch/golden.py.</summary>
public sealed class PyTorchFiles : FormatTest
{
    private static string Golden(string name) => Path.Combine(Assets.PyTorch, name);

    [Theory]
    [InlineData("plain.pt")]
    [InlineData("plain.legacy.pt")]
    [InlineData("state_dict.pt")]
    [InlineData("state_dict.legacy.pt")]
    public void HoldTheSameTensorsAsSafetensors(string name)
    {
        using var expected = ModelFile.Open(Golden("expected.safetensors"));
        using var actual = ModelFile.Open(Golden(name));
        SameTensors(expected, actual);
    }

    [Theory]
    [InlineData("module", "'torch.nn.modules.linear.Linear', which is refused")]
    [InlineData("tensor", "one tensor without a name")]
    [InlineData("list", "no dictionary")]
    [InlineData("complex", "'torch.ComplexFloatStorage', which is refused")]
    [InlineData("sparse", "'torch._utils._rebuild_sparse_tensor', which is refused")]
    public void ThatAreNoDictionaryOfTensorsAreRefused(string name, string message)
    {
        Assert.Contains(message, Refused("a.pt", File.ReadAllBytes(Golden(name + ".pt"))), StringComparison.Ordinal);
        Assert.Contains(message, Refused("b.pt", File.ReadAllBytes(Golden(name + ".legacy.pt"))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pair", "dictionaries of tensors ('encoder', 'decoder')")]
    [InlineData("two", "dictionaries of tensors ('generator', 'critic')")]
    [InlineData("nested", "tensors and dictionaries of tensors ('net.ema')")]
    public void ThatHoldSeveralDictionariesAskForAName(string name, string message)
    {
        foreach (string file in new[] { Golden(name + ".pt"), Golden(name + ".legacy.pt") })
        {
            var diagnostic = Assert.Throws<CompressException>(() => ModelFile.Open(file)).Diagnostic;
            Assert.Equal((Codes.ModelStateDict, file), (diagnostic.Code, diagnostic.File));
            Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("pair", "encoder")]
    [InlineData("nested", "net.ema")]
    [InlineData("state_dict", "state_dict")]
    public void GiveTheDictionaryThatIsNamed(string name, string stateDict)
    {
        using var expected = ModelFile.Open(Golden("expected.safetensors"));
        foreach (string file in new[] { Golden(name + ".pt"), Golden(name + ".legacy.pt") })
        {
            using var actual = ModelFile.Open(file, new(stateDict, null, 0, 0));
            SameTensors(expected, actual);
        }
    }

    // What is no dictionary of tensors by itself may be named all the same: what is inside is joined to it.
    [Fact]
    public void GiveNestedDictionariesUnderTheirNames()
    {
        using var nested = ModelFile.Open(Golden("nested.pt"), new("net", null, 0, 0));
        Assert.All(nested.Tensors, tensor => Assert.StartsWith("ema.", tensor.Name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("pair.pt", "encode", "'pair.pt' has no dictionary 'encode'; its dictionaries of tensors are 'encoder', 'decoder'")]
    [InlineData("pair.pt", "encoder.whole", "no dictionary 'encoder.whole'")]
    [InlineData("pair.pt", "encoderr", "no dictionary 'encoderr'")]
    [InlineData("nested.pt", "ema", "its dictionaries of tensors are 'net.ema'")]
    [InlineData("plain.pt", "model", "it is one dictionary of tensors, with none inside that is such; leave out 'stateDict'")]
    [InlineData("expected.safetensors", "model", "a model of the format safetensors holds no dictionaries to choose 'model' from")]
    public void MayNotHoldTheDictionaryThatIsNamed(string file, string stateDict, string message)
    {
        var diagnostic = Assert.Throws<CompressException>(() => ModelFile.Open(Golden(file), new(stateDict, "/r.yaml", 3, 7))).Diagnostic;
        Assert.Equal((Codes.ModelStateDict, "/r.yaml", 3, 7), (diagnostic.Code, diagnostic.File, diagnostic.Line, diagnostic.Column));
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThatAreProgramsAreRefused() => Assert.Contains("TorchScript", Refused("a.pt", File.ReadAllBytes(Golden("script.pt"))), StringComparison.Ordinal);

    [Fact]
    public void AreReadToTheLastByte() => EveryOtherLengthIsRefused("m.pt", File.ReadAllBytes(Golden("small.pt")));

    [Fact]
    public void OfOldAreReadToTheLastByte() => EveryOtherLengthIsRefused("m.bin", File.ReadAllBytes(Golden("small.legacy.pt")));

    [Fact]
    public void MustBeginAsPyTorchsDo() => Assert.Contains("begins with the bytes 00010203", Refused("m.pth", [0, 1, 2, 3]), StringComparison.Ordinal);

    // Each way to call os.system: by name, by names on the stack, by old and new objects, by an extension, by what is in the memo.
    [Theory]
    [InlineData("cos\nsystem\n(X\u0004\0\0\0trueltR.", "'os.system'")]
    [InlineData("cposix\nsystem\n(X\u0004\0\0\0truetR.", "'posix.system'")]
    [InlineData("c__builtin__\neval\n(X\u0001\0\0\01tR.", "'__builtin__.eval'")]
    [InlineData("\x8c\u0002os\x8c\u0006system\x93.", "'os.system'")]
    [InlineData("(X\u0004\0\0\0trueios\nsystem\n.", "instruction 'i'")]
    [InlineData("(cos\nsystem\nX\u0004\0\0\0trueo.", "'os.system'")]
    [InlineData(")ccollections\nOrderedDict\n)\x81.", "instruction 0x81")]
    [InlineData("\x82\u0001.", "instruction 0x82")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2\n)R.", "calls torch._utils._rebuild_tensor_v2 with other arguments")]
    [InlineData("ctorch\nFloatStorage\n)R.", "calls torch.FloatStorage")]
    [InlineData("ccollections\nOrderedDict\n)RX\u0001\0\0\0ab}.", "ends with values")]
    public void RunNoCode(string pickle, string message) => Assert.Contains(message, Pickled(TorchFile.Pickle(pickle)), StringComparison.Ordinal);

    [Theory]
    [InlineData(".", "takes a value that is not there")]
    [InlineData("t.", "takes values up to a mark")]
    [InlineData("(.", "takes a value that is not there")]
    [InlineData("h\u0001.", "recalls the value 1")]
    [InlineData("]X\u0001\0\0\0aNs.", "cannot be added to")]
    [InlineData("}(X\u0001\0\0\0au.", "a key has no value")]
    [InlineData("X\u00ff\u00ff\u00ff\u00ffa.", "has 4294967295 bytes")]
    [InlineData("\x8b\u00ff\u00ff\u00ff\u007f.", "a number of 2147483647 bytes")]
    [InlineData("}2s.", "uses a value that is not there")]
    [InlineData("KKKK", "truncated")]
    public void MayHaveBrokenPickles(string pickle, string message) => Assert.Contains(message, Pickled(TorchFile.Pickle(pickle)), StringComparison.Ordinal);

    [Fact]
    public void MayNotTakeMemoryWithoutEnd()
    {
        byte[] pickle = new byte[16_000_002];
        pickle.AsSpan().Fill((byte)'N');
        for (int i = 1; i < pickle.Length; i += 2)
        {
            pickle[i] = (byte)'0';
        }

        Assert.Contains("more than 8000000 values", Pickled(pickle), StringComparison.Ordinal);
    }

    // A dictionary of two entries that are the same dictionary, and so on: 2^16 paths to no tensor, or one dictionary in itself.
    [Theory]
    [InlineData("}q\0X\u0001\0\0\0ah\0s.")]
    [InlineData("}q\0(X\u0001\0\0\0ah\0X\u0001\0\0\0bh\0X\u0001\0\0\0ch\0X\u0001\0\0\0dh\0u.")]
    public void MayHoldThemselves(string pickle) => Assert.Contains("deep in each other", Pickled(TorchFile.Pickle(pickle)), StringComparison.Ordinal);

    [Theory]
    [InlineData(4, 0, new[] { 4 }, new[] { 1 }, null)]
    [InlineData(4, 1, new[] { 4 }, new[] { 1 }, "is not inside its storage of 4 elements")]
    [InlineData(4, 0, new[] { 2, 2 }, new[] { 3, 1 }, "is not inside its storage of 4 elements")]
    [InlineData(4, 0, new[] { 2 }, new[] { int.MaxValue }, "is not inside its storage of 4 elements")]
    [InlineData(4, 4, new[] { 0 }, new[] { 1 }, null)]
    [InlineData(5, 0, new[] { 4 }, new[] { 1 }, "of 5 elements, but the file holds 16 bytes of it")]
    [InlineData(4, 0, new[] { 1 << 20, 1 << 10 }, new[] { 0, 0 }, "repeats its elements")]
    [InlineData(4, 0, new[] { int.MaxValue, int.MaxValue, 4 }, new[] { 0, 0, 1 }, "too large")]
    [InlineData(4, 0, new[] { -1 }, new[] { 1 }, "with other arguments")]
    [InlineData(4, -1, new[] { 1 }, new[] { 1 }, "with other arguments")]
    [InlineData(4, 0, new[] { 1 }, new[] { 1, 1 }, "with other arguments")]
    public void MustHaveTensorsInsideTheirStorages(int count, int offset, int[] shape, int[] strides, string? message)
    {
        byte[] file = new TorchFile().Add("m/data.pkl", TorchFile.Dictionary("a", TorchFile.Tensor("0", count, offset, shape, strides))).Add("m/data/0", new byte[16]).ToArray();
        if (message is null)
        {
            using var model = ModelFile.Open(Write("m.pt", file));
            Assert.Single(model.Tensors);
        }
        else
        {
            Assert.Contains(message, Refused("m.pt", file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void MayNotHaveATensorTwice()
    {
        byte[] tensor = TorchFile.Tensor("0", 1, 0, [1], [1]);
        byte[] pickle = TorchFile.Pickle("}(", TorchFile.Text("a"), tensor, TorchFile.Text("a"), tensor, "u.");
        Assert.Contains("'a' stands twice", Refused("m.pt", new TorchFile().Add("m/data.pkl", pickle).Add("m/data/0", new byte[4]).ToArray()), StringComparison.Ordinal);
    }

    // A gigabyte of zeros in a megabyte of file.
    [Fact]
    public void MayNotBeZipBombs()
    {
        byte[] pickle = TorchFile.Dictionary("a", TorchFile.Tensor("0", 1 << 20, 0, [1 << 20], [1]));
        Assert.Contains(
            "'m/data/0' of its zip archive is compressed",
            Refused("m.pt", new TorchFile().Add("m/data.pkl", pickle).Add("m/data/0", new byte[4 << 20], compressed: true).ToArray()),
            StringComparison.Ordinal);
        Assert.Contains(
            "'m/data.pkl' of its zip archive is compressed",
            Refused("n.pt", new TorchFile().Add("m/data.pkl", new byte[4 << 20], compressed: true).ToArray()),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("m\\..\\..\\x")]
    public void MayNotHaveNamesThatLeadOutside(string name) => Assert.Contains(
        "leads outside", Refused("m.pt", new TorchFile().Add("m/data.pkl", TorchFile.Pickle("}.")).Add(name, [1]).ToArray()), StringComparison.Ordinal);

    // Keys are looked up in the archive and nowhere else.
    [Fact]
    public void MayNotHaveStoragesElsewhere() => Assert.Contains(
        "no entry 'm/data/../../../x'",
        Refused("m.pt", new TorchFile().Add("m/data.pkl", TorchFile.Dictionary("a", TorchFile.Tensor("../../../x", 1, 0, [1], [1]))).ToArray()),
        StringComparison.Ordinal);

    [Fact]
    public void MustBeLittleEndian() => Assert.Contains(
        "byte order is 'big'",
        Refused("m.pt", new TorchFile().Add("m/data.pkl", TorchFile.Pickle("}.")).Add("m/byteorder", "big"u8.ToArray()).ToArray()),
        StringComparison.Ordinal);

    private string Pickled(byte[] pickle) => Refused("m.pt", new TorchFile().Add("m/data.pkl", pickle).ToArray());
}
