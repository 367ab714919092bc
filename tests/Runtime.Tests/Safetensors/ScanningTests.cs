using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Compress.Runtime.Safetensors;
using Compress.Runtime.Tests.Container;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Safetensors;

/// <summary>A header that is scanned gives what Utf8JsonReader alone makes of it: the same tensors and metadata, or the same message.</summary>
public class ScannedHeader
{
    private const string Usual =
        """
        {"__metadata__":{"format":"pt","compress":"{\"version\":1,\"tensors\":{\"a\":{}}}"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},
        "b":{"shape":[3],"dtype":"F8_E4M3","data_offsets":[24,27]},"empty":{"data_offsets":[27,27],"dtype":"I64","shape":[0]},
        "scalar":{"dtype":"BOOL","shape":[],"data_offsets":[27,28]}}
        """;

    private static readonly JsonSerializerOptions FewEscapes = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string Entry = """{"dtype":"U8","shape":[1],"data_offsets":[0,1]}""";

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{ }""")]
    [InlineData("""{"a":{}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}   """)]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],}}""")]
    [InlineData("""{,"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{,"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8" ,"shape":[1],"data_offsets":[0,1]}}""")]
    [InlineData("""{ "a" : { "dtype" : "U8" , "shape" : [ 1 ] , "data_offsets" : [ 0 , 1 ] } , "b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]} }""")]
    [InlineData("{\"a\":\t{\"dtype\":\r\n\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\n\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[1,1]}}")]
    [InlineData("{\"a\":\f{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}")]
    [InlineData("""{"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}""")]
    [InlineData("""{"a":{"\u0064type":"\u00558","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}""")]
    [InlineData("""{"é":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"你":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}""")]
    [InlineData("""{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\"":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[,1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[,],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[-0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,999999999999999999],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,9223372036854775808],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,18446744073709551617],"data_offsets":[0,0]}}""")]
    [InlineData("""{"a":{"dtype":"u8","shape":[1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}}""")]
    [InlineData("""{"__metadata__":{"dtype":"U8","shape":"1","data_offsets":""}}""")]
    [InlineData("""{"__metadata__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""")]
    [InlineData("""{"\u005f_metadata__":{"a":"b"},"__metadata__":{}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{ "a":"b","c" :"d","e":"\n","f":"g"},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}""")]
    [InlineData("""{"__metadata__":{"a":"b","a":"c"}}""")]
    [InlineData("""{"__metadata__":{"a":"b","c":1}}""")]
    [InlineData("""{"__metadata__":{"a":"b",}}""")]
    [InlineData("""{"__metadata__":{"a":"b" "c":"d"}}""")]
    [InlineData("""{"__metadata__":{"a":"\ud800"}}""")]
    [InlineData("""{"__metadata__":{"a":"\x"}}""")]
    [InlineData("""{"__metadata__":{"a":"b\""}}""")]
    [InlineData("""{"__metadata__":{"a":"b}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1""")]
    [InlineData("""{"a":{"dtype":"U8""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}""")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}],""")]
    public void IsReadLikeByUtf8JsonReader(string header) => AssertSame(Encoding.UTF8.GetBytes(header));

    [Fact]
    public void IsReadLikeByUtf8JsonReaderWhateverADimensionCountIs()
    {
        foreach (int count in (int[])[63, 64, 65, 66])
        {
            AssertSame(Encoding.UTF8.GetBytes($$$"""{"a":{"dtype":"U8","shape":[{{{string.Join(',', Enumerable.Repeat(1, count))}}}],"data_offsets":[0,1]}}"""));
        }
    }

    [Theory]
    [InlineData("name")]
    [InlineData("metadata key")]
    [InlineData("metadata value")]
    public void IsReadLikeByUtf8JsonReaderWhereverAnOddByteStands(string place)
    {
        byte[] odd = [0, 0x1F, 0x20, (byte)'!', (byte)'"', (byte)'#', (byte)'[', (byte)'\\', (byte)']', 0x7F, 0x80, 0xA0, 0xC3, 0xFF];
        string[] frame = place switch
        {
            "name" => ["{\"", $"\":{Entry}}}"],
            "metadata key" => ["{\"__metadata__\":{\"", "\":\"value\"}}"],
            _ => ["{\"__metadata__\":{\"key\":\"", "\"}}"],
        };
        for (int length = 1; length <= 20; length++)
        {
            for (int at = 0; at < length; at++)
            {
                foreach (byte value in odd)
                {
                    byte[] text = Enumerable.Repeat((byte)'x', length).ToArray();
                    text[at] = value;
                    AssertSame([.. Encoding.UTF8.GetBytes(frame[0]), .. text, .. Encoding.UTF8.GetBytes(frame[1])]);
                }
            }
        }
    }

    // Truncated anywhere: also where a list of numbers has just begun.
    [Fact]
    public void IsReadLikeByUtf8JsonReaderWhereverItEnds()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Usual.ReplaceLineEndings(""));
        for (int length = 0; length < whole.Length; length++)
        {
            AssertSame(whole[..length]);
        }
    }

    [Theory]
    [InlineData("as writers write it")]
    [InlineData("with white space")]
    public void IsReadLikeByUtf8JsonReaderWhenDamaged(string form)
    {
        string header = form == "with white space"
            ? Usual.Replace(":", ": ", StringComparison.Ordinal).Replace(",", ", ", StringComparison.Ordinal)
            : Usual.ReplaceLineEndings("");
        byte[] original = Encoding.UTF8.GetBytes(header);
        Assert.Contains("scalar", AssertSame(original), StringComparison.Ordinal);
        int read = 0;
        for (int seed = 0; seed < 5000; seed++)
        {
            read += AssertSame(Mutations.Damage(original, seed)).StartsWith("tensors", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.InRange(read, 300, 4000); // the test reaches both ends
    }

    [Fact]
    public void HasTheTextsThatWereWritten()
    {
        string[] parts = ["x", "\"", "\"{\"", "\\", "\n", "é", "plain text of some length"];
        for (int seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            int kinds = random.Next(1, parts.Length + 1);
            string text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => parts[random.Next(kinds)]));
            string json = JsonSerializer.Serialize(new { __metadata__ = new { before = "x", text, after = "y" } }, FewEscapes);
            var metadata = SafetensorsBytes.ReadHeader(SafetensorsBytes.Of(json)).Metadata;
            Assert.Equal(["x", text, "y"], metadata.Values);
            Assert.Equal(text, metadata["text"]);
        }
    }

    // Otherwise it would be as slow as if nothing was scanned.
    [Fact]
    public void IsScannedWhereItHasTheFormThatWritersWrite()
    {
        byte[] file = File.ReadAllBytes(Assets.Stories);
        byte[] json = file[8..(8 + (int)BitConverter.ToInt64(file))];
        int expected = SafetensorsBytes.ReadHeader(file).Entries.Count;
        int start = json.AsSpan().IndexOf("},"u8) + 1; // behind the metadata
        var scanned = new JsonScanner(json, start, isAtFirst: false);
        var scanner = new EntryScanner(new EntryBounds(8 + json.Length, file.Length));
        int count = 0;
        while (scanned.NextMember() && scanner.TryScan(ref scanned) is not null)
        {
            count++;
        }

        Assert.Equal(expected, count);
    }

    private static string AssertSame(byte[] header)
    {
        string scanned = Outcome(header, scans: true);
        string read = Outcome(header, scans: false);
        Assert.True(read == scanned, $"{Encoding.UTF8.GetString(header)}\nreads: {read}\nscans: {scanned}");
        return scanned;
    }

    private static string Outcome(byte[] header, bool scans)
    {
        var parser = new HeaderParser(new EntryBounds(8 + header.Length, 8 + header.Length + 28));
        try
        {
            parser.Parse(header, scans);
        }
        catch (SafetensorsException exception)
        {
            return exception.Message;
        }

        return "tensors: "
            + string.Join("; ", parser.Entries.Select(entry => $"{entry.Name} {entry.DType} [{string.Join(',', entry.Shape)}] {entry.Offset} {entry.ByteLength}"))
            + " metadata: " + string.Join("; ", parser.Metadata.Select(pair => $"{pair.Key}={pair.Value}"));
    }
}

/// <summary>Descriptions of packed tensors that are scanned are those that Utf8JsonReader finds, with the same weights for shared tables.</summary>
public class ScannedDescriptions
{
    private const string Usual =
        """{"version":1,"tensors":{"u":""" + SmallPackedFile.Uniform + ""","h":""" + SmallPackedFile.Higgs + ""","h2":""" + SmallPackedFile.Higgs
        + ""","k":{"codec":"keep","dtype":"F16","shape":[4,-0]},"m":{"codec":"x","dtype":"F32","shape":[3,5],"shared":["a","grid.p1n16"]}}}""";

    [Theory]
    [InlineData("""{"version":1,"tensors":{}}""")]
    [InlineData("""{"tensors":{"a":{"shape":[2],"shared":["a"]}},"version":1}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"shape":[2],"shared":["a"]},"b":{"shared":["a","a"],"shape":[2,3]},"c":{"shared":["a"]}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"shape":[2], "shared":["a"]},"b":{"shared":["a"],"shape":[2,3]},"c":{"shared":[]}}} """)]
    [InlineData("""{"version":1,"tensors":{"a":{"shape":[2],"shared":["a",7,["a"]]},"b":{"shared":["a"],"shape":[2,[3]]},"c":{"shared":["\u0061"],"shape":["4",5]}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"shape":7,"shared":"a"},"b":{"shared":["a"],"shape":[1e3,2.5]},"c":{}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":{"shape":[2],"shared":["a"]}},"b":{"shared":["a"],"shape":[],"x":[{}]}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":tru},"b":{"x":true}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":-},"b":{"x":-1}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":-01}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":-1.5,"y":false,"z":null,"shape":[1,2,3,4,5,6,7,8,9],"shared":["a"]}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":1}"b":{}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":1},"a":{"x":1}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":1},"a::b":{"x":1}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":1},"é":{"x":"é"},"b":{"shape":[2],"shared":["a"]}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":1},"b":2}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":1}},"tensors":{"b":{"x":1}}}""")]
    [InlineData("""{"version":1,"tensors":{"a":{"x":1}""")]
    public void AreReadLikeByUtf8JsonReader(string json) => AssertSame(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void AreReadLikeByUtf8JsonReaderWhenDamaged()
    {
        byte[] original = Encoding.UTF8.GetBytes(Usual);
        Assert.Contains("weights 79 15", AssertSame(original), StringComparison.Ordinal);
        int read = 0;
        for (int seed = 0; seed < 5000; seed++)
        {
            byte[] damaged = Mutations.Damage(original, seed);
            if (Encoding.UTF8.GetString(damaged).Contains('\uFFFD', StringComparison.Ordinal))
            {
                continue; // the header's parser lets only valid UTF-8 through
            }

            read += AssertSame(damaged).StartsWith("tensors", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.InRange(read, 500, 4000); // the test reaches both ends
    }

    // Otherwise they would be as slow as if nothing was scanned.
    [Fact]
    public void AreScannedWhereTheyHaveTheFormThatWritersWrite()
    {
        byte[] tensors = Encoding.UTF8.GetBytes($$"""{"u":{{SmallPackedFile.Uniform}},"h":{{SmallPackedFile.Higgs}} }""");
        var json = new JsonScanner(tensors, 1, isAtFirst: true);
        var scanner = new DescriptionScanner();
        Assert.True(json.NextMember() && scanner.TryScan(ref json, out _, out _, out _));
        Assert.True(json.NextMember());
        Assert.True(scanner.TryScan(ref json, out _, out _, out var tables));
        Assert.Equal("grid.p1n16 32", $"{Assert.Single(tables.Names)} {tables.Weights}");

        byte[] metadata = Encoding.UTF8.GetBytes($"\"{Usual.Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
        Assert.True(new JsonScanner(metadata, 0, isAtFirst: true).TryEscapedText(out byte[] unescaped));
        Assert.Equal(Usual, Encoding.UTF8.GetString(unescaped));
    }

    private static string AssertSame(byte[] json)
    {
        string scanned = Outcome(json, scans: true);
        string read = Outcome(json, scans: false);
        Assert.True(read == scanned, $"{Encoding.UTF8.GetString(json)}\nreads: {read}\nscans: {scanned}");
        return scanned;
    }

    private static string Outcome(byte[] json, bool scans)
    {
        try
        {
            var descriptions = new PackedDescriptions(json, scans);
            return "tensors: " + string.Join("; ", descriptions.Names.Select(name => $"{name} {Find(descriptions, name)}"))
                + $" weights {descriptions.WeightsSharing("grid.p1n16")} {descriptions.WeightsSharing("a")}";
        }
        catch (InvalidDataException exception)
        {
            return exception.Message;
        }
    }

    private static string Find(PackedDescriptions descriptions, string name)
    {
        try
        {
            return descriptions.Find(name)!.Parameters.GetRawText();
        }
        catch (InvalidDataException exception)
        {
            return exception.Message;
        }
    }
}
