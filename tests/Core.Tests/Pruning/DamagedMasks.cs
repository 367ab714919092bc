using System.Text.Json.Nodes;
using Compress.Core.Codecs;
using Compress.Core.Tests.Infra;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Pruning;

/// <summary>Sparse tensors of files that are damaged, or made to do harm: an error, at once, in little memory.</summary>
public class DamagedMask
{
    [Theory]
    [InlineData(0.5, null)]
    [InlineData(0.9, null)]
    [InlineData(null, "2:4")]
    [InlineData(null, "5:12")]
    public void IsAnErrorOrAnotherMask(double? sparsity, string? pattern)
    {
        var good = PrunedWeights.Encoder(sparsity, pattern).Encoded(RandomWeights.Gaussian(30 * 48), 30, 48);
        var random = new Random(5);
        int refused = 0;
        for (int trial = 0; trial < 400; trial++)
        {
            byte[] mask = [.. good.Parts[0].Bytes];
            mask[random.Next(mask.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                var tensor = DecodedTensor.Open(good with { Parts = [good.Parts[0] with { Bytes = mask }, good.Parts[1]] }, DType.F32, [30, 48]);
                float[] values = new float[30 * 48], y = new float[30];
                tensor.Dequantize(values);
                tensor.Multiply(new float[48], y);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        // Of a bitmap one bit more or less is always noticed; a combination may become another.
        Assert.InRange(refused, pattern is null ? 390 : 20, 400);
    }

    [Theory]
    [InlineData("kept", 721, "721")]
    [InlineData("kept", -1, "'kept' is not an integer from 0 to 1440")]
    [InlineData("layout", "dense", "parameter 'layout' is 'dense', not bitmap, pattern or gaps")]
    [InlineData("layout", "gaps", "parameter 'rice'")]
    [InlineData("layout", "pattern", "parameter 'of'")]
    public void SaysWhatIsWrong(string parameter, object value, string message)
    {
        var good = PrunedWeights.Encoder(0.5).Encoded(RandomWeights.Gaussian(30 * 48), 30, 48);
        good.Parameters[parameter] = value is int number ? number : (string)value;
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(good, DType.F32, [30, 48])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2_000_000_000, 2_000_000_000)]
    [InlineData(2_000_000_000, 1)]
    [InlineData(1, 2_000_000_000)]
    [InlineData(2_000_000_000, 0)]
    public void MayNotClaimMoreThanTheFileHolds(long rows, long columns)
    {
        foreach (string layout in new[] { "bitmap", "gaps", "pattern" })
        {
            var claim = new EncodedTensor("sparse", new JsonObject { ["kept"] = 0, ["layout"] = layout, ["rice"] = 8, ["keep"] = 1, ["of"] = 2 }, [new("mask", DType.U8, [4], [1, 2, 3, 4])])
                .With("values", new("keep", [], [new("", DType.F32, [1, 0], [])]), 1, 0);
            Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(claim, DType.F32, [rows, columns]));
        }
    }

    [Fact]
    public void HasValuesThatCanBeUnpackedInParts()
    {
        var values = Encoders.Of("higgs").Encoded(RandomWeights.Gaussian(64), 1, 64);
        var claim = new EncodedTensor("sparse", new JsonObject { ["kept"] = 64, ["layout"] = "bitmap" }, [new("mask", DType.U8, [8], [.. Enumerable.Repeat((byte)255, 8)])])
            .With("values", values, 1, 64);
        Assert.Contains("'values' is packed by higgs, of which no parts can be unpacked", Assert.Throws<InvalidDataException>(() => DecodedTensor.Open(claim, DType.F32, [8, 8])).Message, StringComparison.Ordinal);
    }
}
