using Compress.Core.Models;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Models.Formats;

public sealed class TorchSharpFiles : FormatTest
{
    // Saved by TorchSharp itself; the last 200 bytes are zeros.
    private static readonly byte[] Sample =
    [
        .. Convert.FromHexString(
            "0501770601020000803f000000400a676577696368742ec39f0400050000000000000001680f020103803f20c0494001620b01020100036269670001c801"),
        .. new byte[200],
    ];

    [Fact]
    public void OfTorchSharpItselfIsRead()
    {
        Assert.Equal(262, Sample.Length);
        using var model = ModelFile.Open(Write("sample.dat", Sample));
        Assert.Equal(
            ["b BOOL 2", "big U8 200", "gewicht.ß I64 ", "h BF16 1,3", "w F32 2"],
            model.Tensors.Select(tensor => $"{tensor.Name} {tensor.DType.Name()} {string.Join(',', tensor.Shape)}"));
        Assert.Equal([1f, 2f], Values(model["w"]));
        Assert.Equal([5f], Values(model["gewicht.ß"]));
        Assert.Equal([1f, -2.5f, 3.140625f], Values(model["h"]));
        Assert.Equal([1f, 0f], Values(model["b"]));
    }

    [Theory]
    [InlineData(0, DType.U8)]
    [InlineData(1, DType.I8)]
    [InlineData(2, DType.I16)]
    [InlineData(3, DType.I32)]
    [InlineData(4, DType.I64)]
    [InlineData(5, DType.F16)]
    [InlineData(6, DType.F32)]
    [InlineData(7, DType.F64)]
    [InlineData(11, DType.Bool)]
    [InlineData(15, DType.BF16)]
    public void EachElementTypeIsKnown(int code, DType type)
    {
        using var model = ModelFile.Open(Write("m.dat", new DatFile().Add("a", code, [3], new byte[3 * type.SizeInBytes()]).ToArray()));
        Assert.Equal((type, 3), (model["a"].DType, model["a"].Columns));
    }

    [Fact]
    public void AreReadToTheLastByte() => EveryOtherLengthIsRefused("m.dat", Sample);

    [Fact]
    public void MayHoldATensorWithoutElements()
    {
        using var model = ModelFile.Open(Write("m.dat", new DatFile().Add("a", 6, [0, 1L << 40], []).Add("b", 6, [1], new byte[4]).ToArray()));
        Assert.Equal(0, model["a"].Count);
    }

    [Fact]
    public void MayNotHaveATensorTwice() =>
        Assert.Contains("'a' stands twice", Refused("m.dat", new DatFile().Add("a", 0, [1], [1]).Add("a", 0, [1], [1]).ToArray()), StringComparison.Ordinal);

    [Theory]
    [InlineData(8, "element type 8")]
    [InlineData(9, "complex")]
    [InlineData(12, "quantized")]
    [InlineData(16, "element type 16")]
    public void MayNotHaveAnElementTypeThatCannotBeStored(int code, string message) =>
        Assert.Contains(message, Refused("m.dat", new DatFile().Add("a", code, [1], new byte[16]).ToArray()), StringComparison.Ordinal);

    [Fact]
    public void MayNotClaimWhatIsNotThere()
    {
        byte[] huge = [.. DatFile.Number(ulong.MaxValue >> 1)];
        Assert.Contains("9223372036854775807 entries", Refused("m.dat", [.. huge, 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("more than 63 bits", Refused("m.dat", [.. DatFile.Number(ulong.MaxValue), 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("truncated", Refused("m.dat", [1, .. huge, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("dimensions", Refused("m.dat", [1, 1, (byte)'a', 6, .. huge]), StringComparison.Ordinal);
        Assert.Contains("65 dimensions", Refused("m.dat", [1, 1, (byte)'a', 6, 65]), StringComparison.Ordinal);
        Assert.Contains("too large", Refused("m.dat", [1, 1, (byte)'a', 6, 2, .. huge, .. huge]), StringComparison.Ordinal);
        Assert.Contains("truncated", Refused("m.dat", [1, 1, (byte)'a', 6, 1, .. DatFile.Number(1UL << 60)]), StringComparison.Ordinal);
    }

    [Fact]
    public void MustHaveNamesInUtf8() => Assert.Contains("UTF-8", Refused("m.dat", [1, 2, 0xC3, 0x28, 6, 0, 0, 0, 0, 0]), StringComparison.Ordinal);

    [Fact]
    public void AreToldFromArchivesByTheirBeginning() =>
        Assert.Contains("call it *.pt", Refused("m.dat", new TorchFile().Add("m/data.pkl", [1]).ToArray()), StringComparison.Ordinal);

    private static float[] Values(SourceTensor tensor)
    {
        float[] values = new float[tensor.Count];
        tensor.ReadRows(0, tensor.Rows, values);
        return values;
    }
}
