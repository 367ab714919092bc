using System.Buffers.Binary;
using Compress.Core.Models;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Models.Formats;

public sealed class Llama2CFiles : FormatTest
{
    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void AreReadToTheLastByte(int version, bool head)
    {
        byte[] file = Llama2CFile.Of(version, head);
        using (var model = ModelFile.Open(Write("m.bin", file)))
        {
            Assert.Equal(head ? 13 : 12, model.Tensors.Count() + 1);
            Assert.Equal([4L, 8L], model["model.layers.0.self_attn.k_proj.weight"].Shape);
            Assert.Equal(head, model.Header.Tensors.Any(tensor => tensor.Name == "lm_head.weight"));
        }

        EveryOtherLengthIsRefused("m.bin", file);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void MustHaveASensibleShape(int index)
    {
        int[] numbers = [8, 12, 1, 2, 1, 5, 3];
        foreach (int wrong in (int[])[0, -1, int.MinValue, int.MaxValue])
        {
            numbers[index] = wrong;
            Refused("m.bin", Llama2CFile.Of(0, numbers: numbers));
            if (index < 6 || wrong < 1)
            {
                Refused("m.bin", Llama2CFile.Of(1, numbers: numbers)); // which stores nothing for positions
            }
        }
    }

    [Fact]
    public void MayNotClaimWhatIsNotThere()
    {
        Assert.Contains("too large", Refused("m.bin", Llama2CFile.Of(0, numbers: [int.MaxValue - 1, int.MaxValue, int.MaxValue, 1, 1, int.MaxValue, 1])), StringComparison.Ordinal);
        Assert.Contains("truncated", Refused("m.bin", Llama2CFile.Of(0, numbers: [8, 12, int.MaxValue, 2, 1, 5, 3])), StringComparison.Ordinal);
    }

    [Fact]
    public void MustBeOfAKnownVersion()
    {
        byte[] file = Llama2CFile.Of(1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), 3);
        Assert.Contains("version 3", Refused("m.bin", file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "groups of 0")]
    [InlineData(-4, "groups of -4")]
    [InlineData(7, "not made of whole groups of 7")]
    public void MustHaveWholeGroups(int groupSize, string message)
    {
        byte[] file = Llama2CFile.Of(2);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(37), groupSize);
        Assert.Contains(message, Refused("m.bin", file), StringComparison.Ordinal);
    }

    [Fact]
    public void AreToldFromAnythingElse() => Assert.Contains("is it either?", Refused("m.bin", "{ \"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4 }"u8.ToArray()), StringComparison.Ordinal);
}
