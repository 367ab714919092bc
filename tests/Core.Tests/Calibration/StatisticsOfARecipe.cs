using System.Text;
using System.Text.Json;
using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Models;
using Compress.Core.Recipes;
using Compress.Core.Tests.Infra;
using Compress.Core.Tests.LanguageModels;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Tests.Calibration;

/// <summary>What a plan gets for <c>calibration:</c>, with a Llama of one layer and a method that needs what it is told to need.</summary>
public sealed class StatisticsOfARecipe : IDisposable
{
    private const string Query = "model.layers.0.self_attn.q_proj.weight", Key = "model.layers.0.self_attn.k_proj.weight", Down = "model.layers.0.mlp.down_proj.weight";

    private static readonly string Rules = $"method: needy\nlayers:\n- match: [{Query}, {Key}, {Down}, model.embed_tokens.weight]\n  kinds: 1\n- match: '*'\n  keep: source\n";

    private readonly TinyLlama llama = new();
    private readonly DiagnosticBag diagnostics = new();
    private readonly Steps steps = new();
    private readonly List<IDisposable> open = [];

    public StatisticsOfARecipe()
    {
        llama.Write();
        File.WriteAllText(Text, string.Join(' ', Enumerable.Range(0, 40).Select(i => i * i % 10)));
    }

    private string Text => Path.Combine(llama.Folder, "t.ids");

    private string StatisticsPath => Path.Combine(llama.Folder, "s.safetensors");

    private string CachePath => Path.Combine(llama.Folder, "cache");

    public void Dispose()
    {
        open.ForEach(item => item.Dispose());
        llama.Dispose();
    }

    [Fact]
    public void AreAskedForWhereTheMethodIsNamed()
    {
        Assert.Null(Open(Rules));
        var error = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.CalibrationMissing, Severity.Error, 3, 3), (error.Code, error.Severity, error.Line, error.Column));
        Assert.StartsWith("method needy (kinds=1) needs inputSecondMoments of each layer, and the recipe has no 'calibration'; add 'calibration: { text: FILE }'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AreNotComputedIfNoMethodNeedsThem()
    {
        Assert.Null(Open("method: needy\nkinds: 0\ncalibration: { text: nowhere.txt }\n"));
        var message = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.CalibrationUnused, Severity.Message, 3), (message.Code, message.Severity, message.Line));
    }

    [Fact]
    public void AreComputedOnceForAModelAndAText()
    {
        double[] moments;
        using (var first = Open(Rules + "calibration: { text: t.ids }\n")!)
        {
            moments = Read(first, Down)!.InputSecondMoments!;
            Assert.Equal(3, steps.Stages); // embedding, layer; and what follows is not run: 3 windows of 16 positions, twice
        }

        foreach (var (recipe, windows) in new[] { ("calibration: { text: t.ids }\n", 0), ("calibration: { text: t.ids, tokens: 16, window: 8 }\n", 2), ("calibration: { text: t.ids, window: 16, seed: 9 }\n", 0) })
        {
            using var again = Open(Rules + recipe)!;
            var statistics = Read(again, Down)!;
            Assert.Equal(windows, steps.Stages);
            Assert.Equal(windows == 0, moments.SequenceEqual(statistics.InputSecondMoments!));
        }
    }

    [Fact]
    public void AreSharedByLayersWithTheSameInput()
    {
        using var source = Open(Rules + "calibration: { text: t.ids }\n")!;
        var query = Read(source, Query)!;
        Assert.Equal(40, query.Tokens);
        Assert.False(query.Transposed);
        Assert.Equal(64, query.InputSecondMoments!.Length);
        Assert.Null(query.InputMeans);
        Assert.Equal(3, steps.Stages);
        Assert.Equal(query.InputSecondMoments, Read(source, Key)!.InputSecondMoments);
        Assert.Equal(0, steps.Stages);
        Assert.Equal(source.Describe(new(Query, StatisticKinds.InputSecondMoments)), source.Describe(new(Key, StatisticKinds.InputSecondMoments)));
        Assert.Equal(source.Files, [Text, llama.ConfigFile]);
    }

    [Fact]
    public void OfAnEmbeddingAreNone()
    {
        using var source = Open(Rules + "calibration: { text: t.ids }\n")!;
        Assert.Equal("", source.Describe(new("model.embed_tokens.weight", StatisticKinds.InputSecondMoments)));
        Assert.Null(Read(source, "model.embed_tokens.weight"));
        Assert.Equal(0, steps.Stages);
    }

    [Fact]
    public void FollowFromModelTextSettingsAndKinds()
    {
        string Key(string more = "", StatisticKinds kinds = StatisticKinds.InputSecondMoments, string tensor = Query)
        {
            using var source = Open(Rules + $"calibration: {{ text: t.ids{more} }}\n")!;
            return source.Describe(new(tensor, kinds));
        }

        string key = Key();
        Assert.Matches(
            "^version=1 kinds=inputSecondMoments input=model.layers.0.self_attn.q_proj.weight model=[0-9a-f]{64} text=[0-9a-f]{64} tokens=40 unit=document window=16$", key);
        List<string> keys = [key, Key(", tokens: 20"), Key(", window: 8"), Key(", tokens: 20, seed: 1"), Key("", StatisticKinds.InputMeans), Key(tensor: Down)];
        File.AppendAllText(Text, " 1");
        keys.Add(Key());
        llama.Config["rms_norm_eps"] = 0.5;
        llama.Write();
        keys.Add(Key());
        Assert.Equal(keys.Count, keys.Distinct().Count());
    }

    [Fact]
    public void AreComputedAgainIfSomebodyEmptiesTheCache()
    {
        using var source = Open(Rules + "calibration: { text: t.ids }\n")!;
        double[] moments = Read(source, Down)!.InputSecondMoments!;
        Directory.Delete(CachePath, recursive: true);
        Assert.Equal(moments, source.Read(new(Down, StatisticKinds.InputSecondMoments), CancellationToken.None)!.InputSecondMoments);
    }

    [Fact]
    public void NeedNoCache()
    {
        using var source = Open(Rules + "calibration: { text: t.ids }\n", cache: null)!;
        Assert.NotNull(Read(source, Down));
    }

    [Fact]
    public void OfTooLittleTextAreAWarningThatSaysWhatItMeans()
    {
        using var source = Open(Rules + "calibration: { text: t.ids, tokens: 11 }\n")!;
        var warning = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.CalibrationTooLittle, Severity.Warning, 7, 22), (warning.Code, warning.Severity, warning.Line, warning.Column));
        Assert.StartsWith($"the calibration text gives 11 tokens, fewer than 1 of 3 layers have inputs ('{Down}' has 12): ", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfAModelThatOverflowsLeaveTokensOutAndSaySo()
    {
        Spoil("model.embed_tokens.weight", values => values[(4 * 8) + 3] = float.PositiveInfinity); // token 4, which is 8 of the 40
        using var source = Open(Rules + "calibration: { text: t.ids, window: 2 }\n")!;
        Assert.InRange(Read(source, Down)!.Tokens, 20, 32);
        source.Report();
        var warning = Assert.Single(diagnostics.Items);
        Assert.Equal((Codes.CalibrationNonFinite, Severity.Warning, 7), (warning.Code, warning.Severity, warning.Line));
        Assert.Matches(@"^in the inputs of 1 of 1 layers, .* most in '\S+': \d+ of 40 tokens; ", warning.Message);
    }

    [Fact]
    public void OfAModelThatAlwaysOverflowsAreAnError()
    {
        Spoil("model.layers.0.self_attn.o_proj.weight", values => Array.Fill(values, float.NaN));
        using var source = Open(Rules + "calibration: { text: t.ids }\n")!;
        var exception = Assert.Throws<CompressException>(() => Read(source, Down));
        Assert.Equal((Codes.CalibrationNonFinite, Severity.Error, 7), (exception.Diagnostic.Code, exception.Diagnostic.Severity, exception.Diagnostic.Line));
    }

    [Theory]
    [InlineData("text: nowhere.ids", Codes.TokenizerNotReadable)]
    [InlineData("text: t.txt", Codes.EvaluationText)]
    [InlineData("text: t.ids, window: 17", Codes.EvaluationText)]
    public void OfATextThatCannotBeUsedAreAnErrorAtItsPlace(string calibration, string code)
    {
        var exception = Assert.Throws<CompressException>(() => Open(Rules + $"calibration: {{ {calibration} }}\n"));
        Assert.Equal((code, 7, 22), (exception.Diagnostic.Code, exception.Diagnostic.Line, exception.Diagnostic.Column));
    }

    [Fact]
    public void OfAModelThatCannotBeRunAreHadFromAFile()
    {
        llama.Config["architectures"] = new System.Text.Json.Nodes.JsonArray("MambaForCausalLM");
        llama.Write();
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
        Assert.Empty(diagnostics.Items);
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

        Assert.Empty(diagnostics.Items);
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

    private void Calibrate()
    {
        using var source = ModelFile.Open(llama.Folder);
        ModelCalibration.Write(source, new CalibrationSettings(Text), StatisticNames.AllKinds, null, StatisticsPath, diagnostics, null, CancellationToken.None);
    }

    private void Spoil(string tensor, Action<float[]> change)
    {
        using var source = ModelFile.Open(llama.Folder);
        var spoilt = new TestModel();
        foreach (var (name, shape) in llama.Shapes)
        {
            float[] values = new float[source[name].Count];
            source[name].ReadRows(0, source[name].Rows, values);
            if (name == tensor)
            {
                change(values);
            }

            spoilt.Add(name, shape, values);
        }

        source.Dispose();
        spoilt.Write(llama.WeightsFile);
    }

    private IStatisticsSource? Open(string recipeText) => Open(recipeText, new LayerCache(CachePath));

    private IStatisticsSource? Open(string recipeText, LayerCache? cache)
    {
        File.WriteAllText(Path.Combine(llama.Folder, "t.txt"), " ");
        var recipe = RecipeReader.Parse(Encoding.UTF8.GetBytes(recipeText), Path.Combine(llama.Folder, "compress.yaml"), diagnostics, [new NeedyMethod()])!;
        var model = ModelFile.Open(llama.Folder);
        var store = new LayerStore(cache, Path.Combine(llama.Folder, "out"), diagnostics);
        open.AddRange([model, store]);
        return PlanStatistics.Open(recipe, Plan.Make(recipe, model.Header, diagnostics), model, store, diagnostics);
    }

    private LayerStatistics? Read(IStatisticsSource source, string tensor)
    {
        steps.Stages = 0;
        var need = new StatisticNeed(tensor, StatisticKinds.InputSecondMoments);
        source.Prepare([need], steps, CancellationToken.None);
        return source.Read(need, CancellationToken.None);
    }

    /// <summary>How many windows went through the last stage.</summary>
    private sealed class Steps : IProgress<CalibrationProgress>
    {
        public long Stages { get; set; }

        public void Report(CalibrationProgress value) => Stages = value.Total / 2; // embedding and layer
    }
}
