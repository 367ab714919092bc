using System.Buffers.Binary;
using System.Text.Json;
using Compress.Runtime.Safetensors;
using Compress.Runtime.Tests.Infra;

namespace Compress.Runtime.Tests.Container;

/// <summary>A packed file of hand-written headers: a uniform tensor [4, 32], a HIGGS tensor [2, 16], and a kept one.</summary>
internal static class SmallPackedFile
{
    public const string Uniform =
        """{"codec":"uniform","dtype":"F32","shape":[4,32],"bits":4,"symmetric":true,"granularity":"group","groupSize":16,"scaleExponent":-10}""";

    public const string Higgs =
        """{"codec":"higgs","dtype":"BF16","shape":[2,16],"p":1,"n":16,"groupSize":16,"seed":7,"scaleExponent":-10,"shared":["grid.p1n16"]}""";

    public static byte[] Of(string uniform = Uniform, string higgs = Higgs, string more = "") => OfDescription(
        $$$"""{"version":1,"tensors":{"u":{{{uniform}}},"h":{{{higgs}}}{{{more}}} }}""");

    public static byte[] OfDescription(string description) => SafetensorsBytes.Of(
        $$$"""
        {"__metadata__":{"compress":{{{JsonSerializer.Serialize(description)}}}},
        "kept":{{{SafetensorsBytes.Entry(DType.F32, [2], 0, 8)}}},
        "u::codes":{{{SafetensorsBytes.Entry(DType.U8, [4, 16], 8, 72)}}},
        "u::scales":{{{SafetensorsBytes.Entry(DType.F16, [4, 2], 72, 88)}}},
        "h::codes":{{{SafetensorsBytes.Entry(DType.U8, [2, 8], 88, 104)}}},
        "h::scales":{{{SafetensorsBytes.Entry(DType.F16, [2, 1], 104, 108)}}},
        "::grid.p1n16":{{{SafetensorsBytes.Entry(DType.BF16, [16, 1], 108, 140)}}}}
        """,
        140);
}

public class PackedFile
{
    [Fact]
    public void HasTensorsAndHidesTheirParts()
    {
        using var model = PackedModel.FromBytes(SmallPackedFile.Of());
        Assert.True(model.IsPacked);
        Assert.Equal(["h", "kept", "u"], model.Names);
        Assert.True(model.Contains("h") && model.Contains("kept") && !model.Contains("h::codes") && !model.Contains("::grid.p1n16"));
        Assert.False(model.TryGet("h::codes", out _));
        Assert.Contains("'h::codes'", Assert.Throws<KeyNotFoundException>(() => model["h::codes"]).Message, StringComparison.Ordinal);
        Assert.Same(model["h"], model["h"]);
    }

    [Fact]
    public void CountsEveryStoredBit()
    {
        using var model = PackedModel.FromBytes(SmallPackedFile.Of());
        Assert.Equal(8.0 * (64 + 16) / 128, model["u"].BitsPerWeight);
        Assert.Equal(8.0 * (16 + 4 + 32) / 32, model["h"].BitsPerWeight);
    }

    [Fact]
    public void ChargesSharedTablesByWeights()
    {
        // Two users of the table, with 32 weights each.
        using var model = PackedModel.FromBytes(SmallPackedFile.OfDescription(
            $$"""{"version":1,"tensors":{"h":{{SmallPackedFile.Higgs}},"other":{{SmallPackedFile.Higgs}} } }"""));
        Assert.Equal(8.0 * (16 + 4 + (32 / 2)) / 32, model["h"].BitsPerWeight);
    }

    [Fact]
    public void OpensOnlyWhatIsAskedFor()
    {
        using var model = PackedModel.FromBytes(SmallPackedFile.Of(uniform: """{"codec":"of the future","dtype":"F32","shape":[4,32]}"""));
        Assert.NotNull(model["h"]);
        Assert.Contains("codec 'of the future' is not known", Assert.Throws<InvalidDataException>(() => model["u"]).Message, StringComparison.Ordinal);
    }
}

public class OrdinarySafetensorsFile
{
    [Fact]
    public void MayHaveAnyNames()
    {
        string entry = SafetensorsBytes.Entry(DType.U8, [0], 0, 0);
        using var model = PackedModel.FromBytes(SafetensorsBytes.Of($$"""{"a::b":{{entry}},"::c":{{entry}}}"""));
        Assert.False(model.IsPacked);
        Assert.Equal(["::c", "a::b"], model.Names);
        Assert.Equal("keep", model["::c"].Codec);
    }
}

public class LyingDescription
{
    [Theory]
    [InlineData("", "is not JSON")]
    [InlineData("[]", "is not a JSON object")]
    [InlineData("{}", "has no 'version'")]
    [InlineData("""{"version":1}""", "has no 'tensors'")]
    [InlineData("""{"version":2,"tensors":{}}""", "container version is 2, expected 1")]
    [InlineData("""{"version":"1","tensors":{}}""", "container version is no number")]
    [InlineData("""{"version":1,"tensors":[]}""", "is not an object")]
    [InlineData("""{"version":1,"tensors":{},"tensors":{}}""", "has the key 'tensors'")]
    [InlineData("""{"version":1,"tensors":{"u":{},"u":{}}}""", "'u': it is described twice")]
    [InlineData("""{"version":1,"tensors":{"u":7}}""", "'u': its description is not an object")]
    [InlineData("""{"version":1,"tensors":{"u::codes":{}}}""", "must not contain '::'")]
    [InlineData("""{"version":1,"tensors":{"u":{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[""", "is not JSON")]
    public void IsRefusedWhenTheFileIsOpened(string description, string message)
    {
        var exception = Assert.Throws<InvalidDataException>(() => PackedModel.FromBytes(SmallPackedFile.OfDescription(description)));
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", "has no 'codec'")]
    [InlineData("""{"codec":"uniform","shape":[4,32]}""", "has no 'dtype'")]
    [InlineData("""{"codec":"uniform","dtype":"F99","shape":[4,32]}""", "'F99'")]
    [InlineData("""{"codec":"uniform","dtype":"F32"}""", "has no 'shape'")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,-32]}""", "whole numbers")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4.5]}""", "whole numbers")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4294967296,4294967296]}""", "product that is too large")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4294967296,2]}""", "a matrix of 4294967296 × 2")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,32],"codec":"keep"}""", "has a key twice")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,32],"shared":7}""", "'shared'")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,32],"bits":9,"symmetric":true,"granularity":"group","groupSize":16,"scaleExponent":0}""", "'bits'")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,32],"bits":4,"symmetric":1,"granularity":"group","groupSize":16,"scaleExponent":0}""", "'symmetric'")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,32],"bits":4,"symmetric":true,"granularity":"group","groupSize":16,"scaleExponent":900}""", "'scaleExponent'")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,33],"bits":4,"symmetric":true,"granularity":"group","groupSize":16,"scaleExponent":0}""", "'u::codes' holds 64 U8, expected")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[2147483647,268435456],"bits":4,"symmetric":true,"granularity":"group","groupSize":16,"scaleExponent":0}""", "expected")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,32],"bits":4,"symmetric":true,"granularity":"group","groupSize":32,"scaleExponent":0}""", "'u::scales' holds 8 F16, expected 4 F16")]
    [InlineData("""{"codec":"uniform","dtype":"F32","shape":[4,32],"bits":4,"symmetric":false,"granularity":"group","groupSize":16,"scaleExponent":0}""", "'u::zeros' is not in the file")]
    [InlineData("""{"codec":"keep","dtype":"F32","shape":[4,32]}""", "it is not in the file")]
    public void IsRefusedWhenTheTensorIsOpened(string description, string message)
    {
        using var model = PackedModel.FromBytes(SmallPackedFile.Of(uniform: description));
        var exception = Assert.Throws<InvalidDataException>(() => model["u"]);
        Assert.Contains("packed tensor 'u'", exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x7F80)] // infinity as bfloat16
    [InlineData(0xFFC0)] // NaN
    public void GridMustBeFinite(ushort value)
    {
        byte[] file = SmallPackedFile.Of();
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(file.Length - 2), value); // the grid's last point
        using var model = PackedModel.FromBytes(file);
        Assert.Contains("not finite", Assert.Throws<InvalidDataException>(() => model["h"]).Message, StringComparison.Ordinal);
    }

    // Of [2, 16].
    [Theory]
    [InlineData("\"p\":5,\"n\":16", "parameter 'p' is 5, not 1, 2, 3, 4 or 8")]
    [InlineData("\"p\":9,\"n\":16", "parameter 'p' is not an integer from 1 to 8")]
    [InlineData("\"p\":1,\"n\":1", "parameter 'n' is not an integer from 2 to 4096")]
    [InlineData("\"p\":3,\"n\":4097", "parameter 'n' is not an integer from 2 to 4096")]
    [InlineData("\"p\":1,\"n\":5", "'h::codes' holds 16 U8, expected 10 U8")]
    [InlineData("\"p\":3,\"n\":64", "'h::codes' holds 16 U8, expected 10 U8")]
    [InlineData("\"p\":8,\"n\":256", "'h::codes' holds 16 U8, expected 4 U8")]
    public void GridsThatDoNotFitAreRefused(string parameters, string message)
    {
        using var model = PackedModel.FromBytes(SmallPackedFile.Of(higgs: SmallPackedFile.Higgs.Replace("\"p\":1,\"n\":16", parameters, StringComparison.Ordinal)));
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => model["h"]).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((64 * 3) - 1, "'::grid.p3n64' holds 191 F16, expected 192 F16")]
    [InlineData((64 * 3) + 1, "'::grid.p3n64' holds 193 F16, expected 192 F16")]
    public void GridMustBeWhole(int numbers, string message)
    {
        string description = SmallPackedFile.Higgs.Replace("\"p\":1,\"n\":16", "\"p\":3,\"n\":64", StringComparison.Ordinal).Replace("p1n16", "p3n64", StringComparison.Ordinal);
        string tensors = $$$"""{"version":1,"tensors":{"h":{{{description}}} }}""";
        using var model = PackedModel.FromBytes(SafetensorsBytes.Of(
            $$$"""
            {"__metadata__":{"compress":{{{JsonSerializer.Serialize(tensors)}}}},
            "h::codes":{{{SafetensorsBytes.Entry(DType.U8, [2, 5], 0, 10)}}},
            "h::scales":{{{SafetensorsBytes.Entry(DType.F16, [2, 1], 10, 14)}}},
            "::grid.p3n64":{{{SafetensorsBytes.Entry(DType.F16, [numbers], 14, 14 + (2 * numbers))}}}}
            """,
            14 + (2 * numbers)));
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => model["h"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MustNameTheTablesThatTheTensorUses()
    {
        using var model = PackedModel.FromBytes(SmallPackedFile.Of(higgs: SmallPackedFile.Higgs.Replace("grid.p1n16", "grid", StringComparison.Ordinal)));
        Assert.Contains("its 'shared' does not name", Assert.Throws<InvalidDataException>(() => model["h"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MustNotPackATensorThatIsStoredAsItIs()
    {
        using var model = PackedModel.FromBytes(SmallPackedFile.Of(more: $$""","kept":{{SmallPackedFile.Uniform}}"""));
        Assert.Contains("also stored as it is", Assert.Throws<InvalidDataException>(() => model["kept"]).Message, StringComparison.Ordinal);
    }
}

public class DamagedPackedFile
{
    [Fact]
    public void IsReadOrRefused()
    {
        byte[] original = SmallPackedFile.Of();
        int opened = 0;
        for (int seed = 0; seed < 4000; seed++)
        {
            try
            {
                using var model = PackedModel.FromBytes(Mutations.Damage(original, seed));
                foreach (string name in model.Names)
                {
                    opened += Use(model, name);
                }
            }
            catch (Exception exception) when (exception is SafetensorsException or InvalidDataException)
            {
                // Refused, as it should be.
            }
        }

        Assert.InRange(opened, 500, 12_000); // the test reaches both ends
    }

    // A description that lies within the tensors' own bytes: the header stays well-formed, so more of it is reached.
    [Theory]
    [InlineData("u")]
    [InlineData("h")]
    public void IsReadOrRefusedWhenOnlyADescriptionIsDamaged(string damaged)
    {
        int opened = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            byte[] text = System.Text.Encoding.UTF8.GetBytes(damaged == "u" ? SmallPackedFile.Uniform : SmallPackedFile.Higgs);
            string description = System.Text.Encoding.UTF8.GetString(Mutations.Damage(text, seed));
            try
            {
                using var model = PackedModel.FromBytes(damaged == "u" ? SmallPackedFile.Of(uniform: description) : SmallPackedFile.Of(higgs: description));
                opened += Use(model, damaged);
            }
            catch (InvalidDataException)
            {
                // Refused, as it should be.
            }
        }

        Assert.InRange(opened, 20, 1900);
    }

    private static int Use(PackedModel model, string name)
    {
        if (!model.TryGet(name, out var tensor) || tensor.Count > 10_000)
        {
            return 0;
        }

        tensor.Dequantize(new float[tensor.Count]);
        tensor.Multiply(new float[tensor.Columns], new float[tensor.Rows]);
        return 1;
    }
}

public class DisposedModel
{
    [Fact]
    public void ThrowsOnEveryUse()
    {
        // Ten bytes of codes of mixed radix.
        string description = SmallPackedFile.Higgs.Replace("\"n\":16", "\"n\":5", StringComparison.Ordinal).Replace("p1n16", "p1n5", StringComparison.Ordinal);
        string tensorsOfMixed = $$$"""{"version":1,"tensors":{"h":{{{description}}} }}""";
        byte[] mixed = SafetensorsBytes.Of(
            $$$"""
            {"__metadata__":{"compress":{{{JsonSerializer.Serialize(tensorsOfMixed)}}}},
            "kept":{{{SafetensorsBytes.Entry(DType.F32, [2], 0, 8)}}},
            "h::codes":{{{SafetensorsBytes.Entry(DType.U8, [2, 5], 8, 18)}}},
            "h::scales":{{{SafetensorsBytes.Entry(DType.F16, [2, 1], 18, 22)}}},
            "::grid.p1n5":{{{SafetensorsBytes.Entry(DType.BF16, [5, 1], 22, 32)}}}}
            """,
            32);
        var models = new[] { PackedModel.FromBytes(SmallPackedFile.Of()), PackedModel.OpenFile(Assets.Stories), PackedModel.FromBytes(mixed) };
        foreach (var model in models)
        {
            PackedTensor[] tensors = [.. model.Names.Select(name => model[name])];
            model.Dispose();
            model.Dispose();

            Assert.Throws<ObjectDisposedException>(() => model[model.Names.First()]);
            Assert.Throws<ObjectDisposedException>(() => model.TryGet("none", out _));
            Assert.All(tensors, tensor =>
            {
                Assert.Throws<ObjectDisposedException>(() => tensor.Dequantize(new float[tensor.Count]));
                Assert.Throws<ObjectDisposedException>(() => tensor.Multiply(new float[tensor.Columns], new float[tensor.Rows]));
            });
            Assert.Throws<ObjectDisposedException>(() => tensors.First(tensor => tensor.Codec == "keep").TryGetSpan<float>(out _));
        }
    }
}

public class ForgottenModel
{
    [Fact]
    public void LeavesItsSpansValid()
    {
        var span = Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _ = new byte[100_000];
        Assert.Equal([4, 5, 6], span.ToArray());
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static ReadOnlySpan<byte> Forget()
    {
        Assert.True(PackedModel.FromBytes(SafetensorsBytes.Of("t", DType.U8, [3], [4, 5, 6]))["t"].TryGetSpan<byte>(out var span));
        return span;
    }
}

public class FileLongerThan2GiB
{
    [Fact]
    public void IsReadAtItsEnd()
    {
        const long Zeros = 1L << 31;
        string header = $$"""{"zeros":{{SafetensorsBytes.Entry(DType.F32, [1 << 15, 1 << 14], 0, Zeros)}},"end":{{SafetensorsBytes.Entry(DType.U8, [2], Zeros, Zeros + 2)}}}""";
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using (var stream = File.Create(path))
            {
                stream.Write(SafetensorsBytes.Of(header));
                stream.Seek(Zeros, SeekOrigin.Current); // a hole, which takes no disk
                stream.Write([8, 9]);
            }

            using var model = PackedModel.OpenFile(path);
            float[] end = new float[2];
            model["end"].Dequantize(end);
            Assert.Equal([8f, 9f], end);
            Assert.True(model["zeros"].TryGetSpan<float>(out var zeros));
            Assert.Equal(1 << 29, zeros.Length);
            Assert.Equal(0, zeros[^1]);
            Assert.False(model["zeros"].TryGetSpan<byte>(out _)); // one more than a span can hold
        }
        finally
        {
            File.Delete(path);
        }
    }
}

public class UnreadableFile
{
    [Fact]
    public void IsAnIOException()
    {
        Assert.Throws<FileNotFoundException>(() => PackedModel.OpenFile(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())));
        Assert.Throws<FileNotFoundException>(() => PackedModel.OpenResource(typeof(UnreadableFile).Assembly, "none"));
    }

    [Fact]
    public void MayBeEmpty()
    {
        string path = Path.GetTempFileName();
        try
        {
            Assert.Contains("0 bytes", Assert.Throws<SafetensorsException>(() => PackedModel.OpenFile(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
