using System.Text.Json;
using Compress.Runtime.Safetensors;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Container;

/// <summary>A product of low rank, [2, 4], of which the right factor is quantized and the left one is kept.</summary>
public class NestedTensor
{
    private const string Left = """{"codec":"keep","dtype":"F32","shape":[2,1]}""";

    private const string Right =
        """{"codec":"higgs","dtype":"F32","shape":[1,4],"p":1,"n":2,"groupSize":16,"seed":0,"scaleExponent":0}""";

    [Fact]
    public void CountsTheBitsOfItsParts()
    {
        using var model = Open();
        // Two floats, a byte of codes, a scale, and a table of two levels.
        Assert.Equal(8 + 1 + 2, model["t"].StoredBytes);
        Assert.Equal(8.0 * (8 + 1 + 2 + 4) / 8, model["t"].BitsPerWeight);
        Assert.Equal(["t"], model.Names);
    }

    [Theory]
    [InlineData("\"parts\":{}", "the 'parts' of its description have no 'left'")]
    [InlineData("\"parts\":[]", "the 'parts' of its description have no 'left'")]
    [InlineData("\"parts\":{\"left\":7}", "the 'parts' of its description have no 'left'")]
    [InlineData("\"other\":1", "the 'parts' of its description have no 'left'")]
    [InlineData("\"parts\":{\"left\":{\"codec\":\"keep\",\"dtype\":\"F32\",\"shape\":[1,2]}}", "its part 'left' is [1, 2], expected [2, 1]")]
    [InlineData("\"parts\":{\"left\":{\"codec\":\"keep\",\"dtype\":\"F32\",\"shape\":[2]}}", "its part 'left' is [2], expected [2, 1]")]
    [InlineData("\"parts\":{\"left\":{\"codec\":\"keep\",\"dtype\":\"F32\",\"shape\":[2,1],\"shared\":[\"x\"]}}", "its part 'left' has a 'shared'")]
    [InlineData("\"parts\":{\"left\":{\"codec\":\"none\",\"dtype\":\"F32\",\"shape\":[2,1]}}", "its part 'left' is described as 'none', but also stored as it is")]
    [InlineData("\"parts\":{\"left\":{\"dtype\":\"F32\",\"shape\":[2,1]}}", "'t::left': its description has no 'codec'")]
    [InlineData("\"parts\":{\"left\":{\"codec\":\"keep\",\"dtype\":\"F32\",\"shape\":[2,1],\"shape\":[2,1]}}", "has a key twice")]
    public void SaysWhatIsWrongWithItsParts(string parts, string message)
    {
        using var model = Open(parts);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => model["t"]).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5, "not an integer from 0 to 2")]
    [InlineData(2, "its part 'left' is [2, 1], expected [2, 2]")]
    public void HasARankThatFits(int rank, string message)
    {
        using var model = Open(rank: rank);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => model["t"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MustNameItsTables()
    {
        using var model = Open(shared: "other");
        Assert.Contains("uses the table 'grid.p1n2', which its 'shared' does not name", Assert.Throws<InvalidDataException>(() => model["t"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MayNotBeNestedForEver()
    {
        string inner = Left;
        for (int depth = 0; depth < 20; depth++)
        {
            inner = $$$"""{"codec":"lowrank","dtype":"F32","shape":[2,1],"rank":1,"scaleExponent":0,"residual":true,"parts":{"base":{{{inner}}}}}""";
        }

        using var model = Open($"\"parts\":{{\"base\":{inner.Replace("[2,1]", "[2,4]", StringComparison.Ordinal)}}}", residual: true);
        Assert.Contains("more than 4 levels deep", Assert.Throws<InvalidDataException>(() => model["t"]).Message, StringComparison.Ordinal);
    }

    private static PackedModel Open(string? parts = null, int rank = 1, bool residual = false, string shared = "grid.p1n2")
    {
        string tensor = $$"""{"codec":"lowrank","dtype":"F32","shape":[2,4],"rank":{{rank}},"scaleExponent":0,"residual":{{(residual ? "true" : "false")}},"""
            + $$"""{{parts ?? $$"""
                "parts":{"left":{{Left}},"right":{{Right}}}
                """.Trim()}},"shared":["{{shared}}"]}""";
        return PackedModel.FromBytes(SafetensorsBytes.Of(
            $$$"""
            {"__metadata__":{"compress":{{{JsonSerializer.Serialize($$"""{"version":1,"tensors":{"t":{{tensor}}} }""")}}}},
            "t::left":{{{SafetensorsBytes.Entry(DType.F32, [2, 1], 0, 8)}}},
            "t::right::codes":{{{SafetensorsBytes.Entry(DType.U8, [1, 1], 8, 9)}}},
            "t::right::scales":{{{SafetensorsBytes.Entry(DType.F16, [1, 1], 9, 11)}}},
            "::grid.p1n2":{{{SafetensorsBytes.Entry(DType.BF16, [2, 1], 11, 15)}}}}
            """,
            15));
    }
}
