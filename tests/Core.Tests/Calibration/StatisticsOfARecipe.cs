using Compress.Core.Codecs;
using Compress.Core.Diagnostics;

namespace Compress.Core.Tests.Calibration;

/// <summary>What a plan gets for <c>calibration:</c>, with a text.</summary>
public sealed class StatisticsOfARecipe : RecipeStatisticsTest
{
    [Fact]
    public void AreAskedForWhereTheMethodIsNamed()
    {
        Assert.Null(Open(Rules));
        var error = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.CalibrationMissing, Severity.Error, 3, 3), (error.Code, error.Severity, error.Line, error.Column));
        Assert.StartsWith("method needy (kinds=1) needs inputSecondMoments of each layer, and the recipe has no 'calibration'; add 'calibration: { text: FILE }'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AreNotComputedIfNoMethodNeedsThem()
    {
        Assert.Null(Open("method: needy\nkinds: 0\ncalibration: { text: nowhere.txt }\n"));
        var message = Assert.Single(Diagnostics.Items);
        Assert.Equal((Codes.CalibrationUnused, Severity.Message, 3), (message.Code, message.Severity, message.Line));
    }

    [Fact]
    public void AreComputedOnceForAModelAndAText()
    {
        double[] moments;
        using (var first = Open(Rules + "calibration: { text: t.ids }\n")!)
        {
            moments = Read(first, Down)!.InputSecondMoments!;
            Assert.Equal(3, Progress.Stages); // embedding, layer; and what follows is not run: 3 windows of 16 positions, twice
        }

        foreach (var (recipe, windows) in new[] { ("calibration: { text: t.ids }\n", 0), ("calibration: { text: t.ids, tokens: 16, window: 8 }\n", 2), ("calibration: { text: t.ids, window: 16, seed: 9 }\n", 0) })
        {
            using var again = Open(Rules + recipe)!;
            var statistics = Read(again, Down)!;
            Assert.Equal(windows, Progress.Stages);
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
        Assert.Equal(3, Progress.Stages);
        Assert.Equal(query.InputSecondMoments, Read(source, Key)!.InputSecondMoments);
        Assert.Equal(0, Progress.Stages);
        Assert.Equal(source.Describe(new(Query, StatisticKinds.InputSecondMoments)), source.Describe(new(Key, StatisticKinds.InputSecondMoments)));
        Assert.Equal(source.Files, [Text, Llama.ConfigFile]);
    }

    [Fact]
    public void OfAnEmbeddingAreNone()
    {
        using var source = Open(Rules + "calibration: { text: t.ids }\n")!;
        Assert.Equal("", source.Describe(new("model.embed_tokens.weight", StatisticKinds.InputSecondMoments)));
        Assert.Null(Read(source, "model.embed_tokens.weight"));
        Assert.Equal(0, Progress.Stages);
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
        Llama.Config["rms_norm_eps"] = 0.5;
        Llama.Write();
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
        var warning = Assert.Single(Diagnostics.Items);
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
        var warning = Assert.Single(Diagnostics.Items);
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
}
