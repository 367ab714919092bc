using System.Text.Json;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Calibration;

/// <summary>What a plan gets for <c>calibration:</c>, with a file of statistics.</summary>
public sealed class StatisticsOfAFile : RecipeStatisticsTest
{
    [Fact]
    public void OfAModelThatCannotBeRunAreHadFromAFile()
    {
        Llama.Config["architectures"] = new System.Text.Json.Nodes.JsonArray("MambaForCausalLM");
        Llama.Write();
        var exception = Assert.Throws<CompressException>(() => Open(Rules + "calibration: { text: t.ids }\n"));
        Assert.Equal(Codes.LanguageModelUnknown, exception.Diagnostic.Code);
        Assert.Contains("give 'calibration: statistics' a file", exception.Diagnostic.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfAFileAreThoseThatWereComputed()
    {
        Calibrate();
        using var computed = Open(Rules + "calibration: { text: t.ids }\n")!;
        using var read = Open(Rules + "calibration: { statistics: s.safetensors }\n")!;
        foreach (string tensor in (string[])[Query, Key, Down])
        {
            var (a, b) = (Read(computed, tensor)!, Read(read, tensor)!);
            Assert.Equal((a.Tokens, a.Transposed, a.InputMeans), (b.Tokens, b.Transposed, b.InputMeans));
            Assert.Equal(a.InputSecondMoments, b.InputSecondMoments);
            Assert.Matches("^inputSecondMoments=[0-9a-f]{64} tokens=40$", read.Describe(new(tensor, StatisticKinds.InputSecondMoments)));
        }

        Assert.Equal("", read.Describe(new("model.embed_tokens.weight", StatisticKinds.InputSecondMoments)));
        Assert.Equal([StatisticsPath], read.Files);
        Assert.Empty(Diagnostics.Items);
    }

    /// <summary>Of every kind; and the head has no gradients of what comes before it.</summary>
    [Fact]
    public void OfEveryKindAreTheSameFromATextAndAFile()
    {
        Calibrate();
        using var computed = Open(Rules + "calibration: { text: t.ids }\n")!;
        using var read = Open(Rules + "calibration: { statistics: s.safetensors }\n")!;
        foreach (string tensor in (string[])[Key, Down, "lm_head.weight"])
        {
            var need = new StatisticNeed(tensor, StatisticNames.AllKinds);
            computed.Prepare([need], null, CancellationToken.None);
            var (a, b) = (computed.Read(need, CancellationToken.None)!, read.Read(need, CancellationToken.None)!);
            Assert.Equal(a.OutputCovariance, b.OutputCovariance);
            Assert.Equal(a.SquaredGradients, b.SquaredGradients);
            Assert.Equal(a.HiddenGradients, b.HiddenGradients);
            Assert.Equal(a.OutputGradients, b.OutputGradients);
            Assert.Equal(tensor == "lm_head.weight", a.HiddenGradients is null);
            Assert.All([a.OutputCovariance, a.SquaredGradients, a.OutputGradients], values => Assert.Contains(values!, value => value != 0));
            Assert.DoesNotMatch("hiddenGradients", tensor == "lm_head.weight" ? read.Describe(need) : "");
        }

        Assert.Empty(Diagnostics.Items);
    }

    [Fact]
    public void OfGradientsAreOfOneLayerEach()
    {
        using var source = Open(Rules + "calibration: { text: t.ids }\n")!;
        Assert.NotEqual(source.Describe(new(Query, StatisticKinds.SquaredGradients)), source.Describe(new(Key, StatisticKinds.SquaredGradients)));
        Assert.Equal(source.Describe(new(Query, StatisticKinds.InputMeans)), source.Describe(new(Key, StatisticKinds.InputMeans)));
    }

    [Fact]
    public void ThatAreNegativeMeansOfSquaresAreAnError()
    {
        double[] gradients = new double[96];
        gradients[5] = -1;
        WriteFile(
            new { version = 1, tokens = 5, layers = Shared, tables = Tables },
            (Query + ".inputSecondMoments", [8, 8], new double[64]), (Down + ".inputSecondMoments", [12, 12], new double[144]), (Down + ".squaredGradients", [8, 12], gradients));
        using var source = Open(Rules + "calibration: { statistics: s.safetensors }\n")!;
        var exception = Assert.Throws<CompressException>(() => source.Read(new(Down, StatisticKinds.SquaredGradients), CancellationToken.None));
        Assert.Equal($"the array '{Down}.squaredGradients' has a negative value, number 5: a mean of squares is none", exception.Diagnostic.Message);
    }

    [Fact]
    public void OfAFileOfAnotherModelAreAnError()
    {
        Calibrate();
        Spoil("lm_head.weight", values => values[0]++);
        FileError(Codes.StatisticsOfAnotherModel, "was made of another model than");
    }

    [Fact]
    public void OfAFileWithNoneOfTheLayersAreAnError()
    {
        WriteFile(new { version = 1, tokens = 5 }, ("other.weight.inputMeans", [3], [1, 2, 3]));
        FileError(Codes.StatisticsOfAnotherModel, $"has no statistics of any layer of this model that needs them, such as '");
    }

    [Fact]
    public void OfAFileWithOtherShapesAreAnError()
    {
        WriteFile(new { version = 1, tokens = 5, layers = Shared, tables = Tables }, (Query + ".inputSecondMoments", [4, 4], new double[16]), (Down + ".inputSecondMoments", [12, 12], new double[144]));
        FileError(Codes.StatisticsOfAnotherModel, $"'{Query}.inputSecondMoments' is [4, 4], expected [8, 8] for the layer '{Key}' [8, 8]");
    }

    [Fact]
    public void ThatAFileLacksAreNamed()
    {
        WriteFile(new { version = 1, tokens = 5, layers = Shared, tables = Tables }, (Query + ".inputSecondMoments", [8, 8], new double[64]));
        FileError(Codes.StatisticsLacking, $"has no 'inputSecondMoments' of '{Down}', which the method needs; write them with 'compress calibrate'");
    }

    [Theory]
    [InlineData(double.NaN, 0, 0, "has a value that is not finite")]
    [InlineData(double.PositiveInfinity, 0, 0, "has a value that is not finite")]
    [InlineData(-1, 0, 0, "has a negative value on its diagonal, at [0, 0]")]
    [InlineData(1, 0.5, 0.25, "is not symmetric: [0, 1] and [1, 0] differ")]
    public void ThatNoStatisticHasAreAnError(double first, double above, double below, string message)
    {
        double[] moments = new double[64];
        (moments[0], moments[1], moments[8], moments[9]) = (first, above, below, 1);
        WriteFile(new { version = 1, tokens = 5, layers = Shared, tables = Tables }, (Query + ".inputSecondMoments", [8, 8], moments), (Down + ".inputSecondMoments", [12, 12], new double[144]));
        using var source = Open(Rules + "calibration: { statistics: s.safetensors }\n")!;
        var exception = Assert.Throws<CompressException>(() => Read(source, Query));
        Assert.Equal((Codes.StatisticsMalformed, StatisticsPath), (exception.Diagnostic.Code, exception.Diagnostic.File));
        Assert.Equal($"the array '{Query}.inputSecondMoments' {message}", exception.Diagnostic.Message);
    }

    [Fact]
    public void OfAFileAreMadeSymmetricToTheBit()
    {
        double[] moments = new double[64];
        (moments[0], moments[1], moments[8], moments[9]) = (1, 0.50001, 0.50002, 1);
        WriteFile(new { version = 1, tokens = 5, layers = Shared, tables = Tables }, (Query + ".inputSecondMoments", [8, 8], moments), (Down + ".inputSecondMoments", [12, 12], new double[144]));
        using var source = Open(Rules + "calibration: { statistics: s.safetensors }\n")!;
        double[] read = Read(source, Query)!.InputSecondMoments!;
        Assert.Equal((0.500015, read[1]), (read[8], read[8]));
    }

    [Theory]
    [InlineData(null, "it has no 'compress.statistics' metadata")]
    [InlineData("{", "its 'compress.statistics' cannot be used")]
    [InlineData("null", "its 'compress.statistics' cannot be used")]
    [InlineData("[]", "its 'compress.statistics' cannot be used")]
    [InlineData("{\"tokens\": 5}", "its 'compress.statistics' cannot be used")]
    [InlineData("{\"version\": 1}", "its 'compress.statistics' cannot be used")]
    [InlineData("{\"version\": 1, \"tokens\": 5, \"layers\": null}", "its 'compress.statistics' cannot be used")]
    [InlineData("{\"version\": 2, \"tokens\": 5}", "the statistics are of version 2; this program reads version 1")]
    public void OfAFileThatIsNoneAreAnError(string? json, string message)
    {
        WriteRaw(json, ("a.inputMeans", [1], [1]));
        var exception = Assert.Throws<CompressException>(() => Open(Rules + "calibration: { statistics: s.safetensors }\n"));
        Assert.Equal((Codes.StatisticsMalformed, StatisticsPath), (exception.Diagnostic.Code, exception.Diagnostic.File));
        Assert.Contains(message, exception.Diagnostic.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfAFileThatIsNotThereOrCutShortAreAnError()
    {
        Assert.Equal(Codes.StatisticsMalformed, Assert.Throws<CompressException>(() => Open(Rules + "calibration: { statistics: s.safetensors }\n")).Diagnostic.Code);
        Calibrate();
        byte[] bytes = File.ReadAllBytes(StatisticsPath);
        foreach (int length in (int[])[0, 7, 100, bytes.Length - 1])
        {
            File.WriteAllBytes(StatisticsPath, bytes[..length]);
            Assert.Equal(Codes.StatisticsMalformed, Assert.Throws<CompressException>(() => Open(Rules + "calibration: { statistics: s.safetensors }\n")).Diagnostic.Code);
        }
    }

    private static object Shared => new Dictionary<string, object> { [Key] = new { input = Query } };

    private static string[] Tables => ["model.embed_tokens.weight"];

    private void FileError(string code, string message)
    {
        var exception = Assert.Throws<CompressException>(() => Open(Rules + "calibration: { statistics: s.safetensors }\n"));
        Assert.Equal((code, 7, 28), (exception.Diagnostic.Code, exception.Diagnostic.Line, exception.Diagnostic.Column));
        Assert.Contains(message, exception.Diagnostic.Message, StringComparison.Ordinal);
    }

    private void WriteFile(object header, params (string Name, long[] Shape, double[] Values)[] arrays) => WriteRaw(JsonSerializer.Serialize(header), arrays);

    private void WriteRaw(string? header, params (string Name, long[] Shape, double[] Values)[] arrays)
    {
        using var stream = File.Create(StatisticsPath);
        SafetensorsWriter.Write(
            stream,
            header is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["compress.statistics"] = header },
            arrays.Select(array => new StoredArray(
                array.Name, DType.F64, array.Shape, 8 * array.Values.Length, to => to.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<double>(array.Values)))));
    }
}
