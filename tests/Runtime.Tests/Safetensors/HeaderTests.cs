using System.Text;
using Compress.Runtime.Safetensors;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Safetensors;

public class WellFormedHeader
{
    [Fact]
    public void GivesTensorsInTheOrderOfTheirData()
    {
        var header = SafetensorsBytes.ReadHeader(SafetensorsBytes.Of(
            """{"b":{"dtype":"F32","shape":[2],"data_offsets":[6,14]},"a":{"shape":[3],"data_offsets":[0,6],"dtype":"BF16"}}""", 14));

        Assert.Equal(["a", "b"], header.Entries.Select(entry => entry.Name));
        Assert.Equal((DType.BF16, 3L, 6L), (header.Entries[0].DType, header.Entries[0].Count, header.Entries[0].ByteLength));
        Assert.Equal(header.DataOffset, header.Entries[0].Offset);
        Assert.Equal(header.DataOffset + 6, header.Entries[1].Offset);
    }

    [Fact]
    public void MayBeEmpty() => Assert.Empty(SafetensorsBytes.ReadHeader(SafetensorsBytes.Of("{}")).Entries);

    [Fact]
    public void MayEndInSpaces() => Assert.Empty(SafetensorsBytes.ReadHeader(SafetensorsBytes.Of("{}      ")).Entries);

    [Fact]
    public void HasMetadata()
    {
        var header = SafetensorsBytes.ReadHeader(SafetensorsBytes.Of("""{"__metadata__":{"format":"pt","ä\n":"\u00e9"}}"""));
        Assert.Equal("pt", header.Metadata["format"]);
        Assert.Equal("é", header.Metadata["ä\n"]);
    }

    [Fact]
    public void MayNameTensorsInAnyText()
    {
        var header = SafetensorsBytes.ReadHeader(SafetensorsBytes.Of(
            $$"""{"":{{SafetensorsBytes.Entry(DType.U8, [1], 0, 1)}},"\u4f60 \"\\":{{SafetensorsBytes.Entry(DType.U8, [1], 1, 2)}}}""", 2));
        Assert.Equal(["", "你 \"\\"], header.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void MayHoldScalars()
    {
        var entry = Assert.Single(SafetensorsBytes.ReadHeader(SafetensorsBytes.Of("s", DType.F64, [], new byte[8])).Entries);
        Assert.Empty(entry.Shape);
        Assert.Equal(1, entry.Count);
    }

    [Fact]
    public void MayHoldTensorsWithoutElements()
    {
        var header = SafetensorsBytes.ReadHeader(SafetensorsBytes.Of(
            $$"""{"x":{{SafetensorsBytes.Entry(DType.U8, [4], 0, 4)}},"z":{{SafetensorsBytes.Entry(DType.F32, [0, 9], 4, 4)}},"y":{{SafetensorsBytes.Entry(DType.F32, [9, 0], 0, 0)}}}""", 4));
        Assert.Equal(["y", "x", "z"], header.Entries.Select(entry => entry.Name));
        Assert.Equal([0L, 4L, 0L], header.Entries.Select(entry => entry.Count));
    }

    [Fact]
    public void MayHoldEveryType()
    {
        foreach (var type in Enum.GetValues<DType>())
        {
            var entry = Assert.Single(SafetensorsBytes.ReadHeader(SafetensorsBytes.Of("t", type, [3], new byte[3 * type.SizeInBytes()])).Entries);
            Assert.Equal((type, 3L), (entry.DType, entry.Count));
        }
    }
}

public class MalformedHeader
{
    [Theory]
    [InlineData("[]", "begins with the byte 0x5B")]
    [InlineData(" {}", "begins with the byte 0x20")]
    [InlineData("{", "not JSON")]
    [InlineData("{}x", "not JSON")]
    [InlineData("{}{}", "not JSON")]
    [InlineData("""{"a":}""", "not JSON")]
    [InlineData("""{"a":1}""", "tensor 'a' is a number, expected an object")]
    [InlineData("""{"a":{}}""", "tensor 'a' has no dtype")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1]}}""", "tensor 'a' has no data_offsets")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,1]}}""", "tensor 'a' has no shape")]
    [InlineData("""{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,1]}}""", "has the dtype 'F33', which is not known (F64, F32, F16, BF16, F8_E4M3")]
    [InlineData("""{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", "'f32'")]
    [InlineData("""{"a":{"dtype":4,"shape":[1],"data_offsets":[0,1]}}""", "has a number as dtype")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8"}}""", "has 'dtype' twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"shape":[1]}}""", "has 'shape' twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}}""", "has the key 'strides'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", "has -1 in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", "has 1.5 in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}""", "has 1e0 in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", "has a text in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}""", "has an array in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":7,"data_offsets":[0,1]}}""", "has a number as shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}""", "has 9223372036854775808 in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", "product is too large")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}""", "product is too large")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", "has more than 2 numbers in its data_offsets")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", "has 1 data_offsets, expected 2")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", "end before they begin")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}""", "has 1 bytes (data_offsets [0, 1]), expected 2 for U8 [2]")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "ends at byte 3 of the data, but the file has 2 bytes of data")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", "1 bytes follow the last tensor")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", "the header ends at 0: the 1 bytes between belong to no tensor")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", "tensor 'b' begins at byte 1 of the data, inside tensor 'a'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", "must not overlap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}""", "the name 'a' stands twice")]
    [InlineData("""{"__metadata__":[]}""", "'__metadata__' is an array")]
    [InlineData("""{"__metadata__":{"a":1}}""", "'__metadata__' has a number as 'a', expected a text")]
    [InlineData("""{"__metadata__":{"a":"","a":""}}""", "the key 'a' stands twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", "'__metadata__' stands twice")]
    [InlineData("""{"\ud800":{}}""", "not valid Unicode")]
    public void SaysWhatIsWrong(string header, string message)
    {
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsBytes.ReadHeader(SafetensorsBytes.Of(header, 2)));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { }, "the file has 0 bytes")]
    [InlineData(new byte[] { 1, 0, 0, 0, 0, 0, 0 }, "the file has 7 bytes")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, "a header of 0 bytes")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}' }, "a header of 3 bytes, but only 2 follow")]
    [InlineData(new byte[] { 1, 0xE1, 0xF5, 5, 0, 0, 0, 0 }, "a header of 100000001 bytes; the format allows 100000000")]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, "a header of 18446744073709551615 bytes")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0, 0x80, (byte)'{', (byte)'}' }, "a header of 9223372036854775810 bytes")]
    public void SaysThatItsLengthIsWrong(byte[] file, string message)
    {
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsBytes.ReadHeader(file));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SaysThatItIsNotUtf8()
    {
        byte[] header = Encoding.UTF8.GetBytes("""{"aX":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""");
        header[3] = 0xFF;
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsBytes.ReadHeader(SafetensorsBytes.Of(header)));
        Assert.Contains("not valid Unicode", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void KeepsMessagesShortAndOnOneLine()
    {
        string name = "\\n" + new string('x', 100_000);
        var exception = Assert.Throws<SafetensorsException>(() => SafetensorsBytes.ReadHeader(SafetensorsBytes.Of($$"""{"{{name}}":1}""")));
        Assert.InRange(exception.Message.Length, 200, 300);
        Assert.DoesNotContain('\n', exception.Message);
    }
}

/// <summary>10 MB here; the cost is proportional, up to the 100 MB that the format allows.</summary>
public class HugeHeader
{
    private const int Size = 10_000_000;

    [Theory]
    [InlineData("tensors without elements", 6)]
    [InlineData("tensors that cannot be scanned", 6)]
    [InlineData("one metadata text", 3)]
    [InlineData("one metadata text that cannot be scanned", 3)]
    [InlineData("metadata", 14)]
    [InlineData("one shape", 3)]
    [InlineData("one name", 12)]
    [InlineData("nested arrays", 3)]
    [InlineData("nested objects", 3)]
    public void TakesNoMoreThanAFewTimesItsSize(string kind, int times)
    {
        byte[] file = SafetensorsBytes.Of(Build(kind));
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            SafetensorsBytes.ReadHeader(file);
        }
        catch (SafetensorsException)
        {
            // Most of these are wrong too; that must not cost more.
        }

        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / (double)file.Length, 1, times);
    }

    private static string Build(string kind)
    {
        var text = new StringBuilder("{");
        string entry = SafetensorsBytes.Entry(DType.U8, [0], 0, 0);
        switch (kind)
        {
            case "tensors without elements":
                for (int i = 0; text.Length < Size; i++)
                {
                    text.Append($"\"{i}\":{entry},");
                }

                return text.Append($"\"last\":{entry}}}").ToString();
            case "tensors that cannot be scanned":
                for (int i = 0; text.Length < Size; i++)
                {
                    text.Append($"\"{i}\":{entry.Replace("]}", "] }", StringComparison.Ordinal)},");
                }

                return text.Append($"\"last\":{entry}}}").ToString();
            case "one metadata text":
            case "one metadata text that cannot be scanned":
                return text.Append("\"__metadata__\":{\"a\":\"").Insert(text.Length, "\\\"", Size / 2)
                    .Append(kind == "one metadata text" ? "\"}}" : "é\"}}").ToString();
            case "metadata":
                text.Append("\"__metadata__\":{");
                for (int i = 0; text.Length < Size; i++)
                {
                    text.Append($"\"{i}\":\"\",");
                }

                return text.Append("\"last\":\"\"}}").ToString();
            case "one shape":
                return text.Append("\"a\":{\"shape\":[").Insert(text.Length, "1,", Size / 2).Append("1]}}").ToString();
            case "one name":
                return text.Append($"\"{new string('x', Size)}\":{entry}}}").ToString();
            default:
                return text.Append("\"a\":").Append(new string(kind == "nested arrays" ? '[' : '{', Size)).ToString();
        }
    }
}

public class DamagedHeader
{
    [Fact]
    public void IsReadOrRefused()
    {
        byte[] original = SafetensorsBytes.Of(
            $$$"""
            {"__metadata__":{"format":"pt","other":"\u00e9\""},"a.weight":{{{SafetensorsBytes.Entry(DType.F32, [2, 3], 0, 24)}}},
            "b":{{{SafetensorsBytes.Entry(DType.F8E4M3, [3], 24, 27)}}},"empty":{{{SafetensorsBytes.Entry(DType.I64, [0], 27, 27)}}},
            "scalar":{{{SafetensorsBytes.Entry(DType.Bool, [], 27, 28)}}}}
            """,
            28);
        int read = 0;
        for (int seed = 0; seed < 6000; seed++)
        {
            byte[] file = Mutations.Damage(original, seed);
            try
            {
                var header = SafetensorsBytes.ReadHeader(file);
                Assert.Equal(file.Length - header.DataOffset, header.Entries.Sum(entry => entry.ByteLength));
                Assert.All(header.Entries, entry => Assert.InRange(entry.Offset, header.DataOffset, file.Length - entry.ByteLength));
                read++;
            }
            catch (SafetensorsException)
            {
                // Refused, as it should be.
            }
        }

        Assert.InRange(read, 60, 3000); // some damages change a name only: the test reaches both ends
    }
}
