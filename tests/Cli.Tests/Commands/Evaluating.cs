using System.Text.Json.Nodes;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

public sealed class Evaluating : IDisposable
{
    private readonly Workspace workspace = new();

    public Evaluating() => workspace.Text("held-out.txt", LanguageModel.Text);

    [Fact]
    public void SourceAloneHasItsPerplexityAndEverySettingInTheReport()
    {
        var outcome = Eval(LanguageModel.Folder, [.. LanguageModel.On, "--limit", "2", "--report", "made/report.json"]);
        Assert.Equal((ExitCodes.Ok, ""), (outcome.ExitCode, outcome.Error));
        var report = Report("made", "report.json");
        Assert.Equal(
            ["model", "packed", "perplexity", "nll", "tokens", "kl", "sourcePerplexity", "sourceNll", "text", "unit", "window", "stride", "limit", "bos", "milliseconds"],
            report.Select(member => member.Key));
        double perplexity = Number(report, "perplexity");
        Assert.Equal(Math.Exp(Number(report, "nll")), perplexity, 1e-12);
        Assert.Equal((perplexity, Number(report, "nll")), (Number(report, "sourcePerplexity"), Number(report, "sourceNll")));
        Assert.Equal((null, null), ((string?)report["packed"], (double?)report["kl"]));
        Assert.Equal(
            (Assets.Stories, workspace["held-out.txt"], "paragraph", 65, null, 2, 1),
            ((string?)report["model"], (string?)report["text"], (string?)report["unit"], (int)report["window"]!, (int?)report["stride"], (int?)report["limit"], (int?)report["bos"]));
        Assert.Matches($@"^model +perplexity +nll +KL\nsource +{perplexity:F4} +\d\.\d{{5}} +-\n", outcome.Output);
        Assert.Contains(
            $"\n{(int)report["tokens"]!} tokens of {workspace["held-out.txt"]}: paragraph, window 65, stride none, limit 2, BOS 1; ", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void PackedModelIsComparedWithItsSource()
    {
        string packed = workspace.Packed(Assets.Stories, "--recipe", workspace.Text("r.yaml", "bits: 3"));
        var outcome = Eval(LanguageModel.Folder, [.. LanguageModel.On, "--packed", packed, "--report", "report.json"]);
        var report = Report("report.json");
        Assert.Equal(packed, (string?)report["packed"]);
        Assert.InRange(Number(report, "kl"), 0.3, 1.5);
        Assert.InRange(Number(report, "perplexity") / Number(report, "sourcePerplexity"), 1.2, 4);
        Assert.Matches(
            $@"\nsource +{Number(report, "sourcePerplexity"):F4} .*-\npacked +{Number(report, "perplexity"):F4} +{Number(report, "nll"):F5} +{Number(report, "kl"):F5}\n", outcome.Output);

        Assert.Equal(0, Number(EvalReport([.. LanguageModel.On, "--packed", Assets.Stories]), "kl")); // the source is a packed model whose tensors are all kept
    }

    [Fact]
    public void SettingsChangeWhatIsMeasured()
    {
        double Tokens(params string[] more) => Number(EvalReport(["--text", "held-out.txt", .. more]), "tokens");
        double all = Tokens("--window", "33");
        Assert.Equal(all, Tokens("--window", "33", "--stride", "8")); // overlapping windows predict no token twice
        Assert.Equal(all - Math.Ceiling(all / 33), Tokens("--window", "33", "--no-bos")); // the first of a window is not predicted
        Assert.Equal(2 * 32, Tokens("--window", "33", "--limit", "2"));
        Assert.InRange(Tokens("--window", "9", "--unit", "paragraph"), 2 * 8, 2 * 8);
    }

    [Fact]
    public void ResultsComeFromTheCacheUnlessItIsOff()
    {
        var first = EvalReport(LanguageModel.On);
        string entry = Assert.Single(Directory.GetFiles(workspace.Cache, "*.json", SearchOption.AllDirectories));
        Assert.Matches(@": 0 entries, 0 bytes; 1 evaluations, \d+ bytes\n$", Cache("stats"));
        File.WriteAllText(entry, "{\"Nll\":1,\"Tokens\":1}"); // what nobody measures
        Assert.Equal(Math.E, Number(EvalReport(LanguageModel.On), "perplexity"), 1e-12);
        var outcome = workspace.Run(["eval", LanguageModel.Folder, .. LanguageModel.On, "--no-cache", "--report", "fresh.json"]);
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Equal(Number(first, "perplexity"), Number(Report("fresh.json"), "perplexity"));

        Assert.Matches(@"^0 entries removed, 0 bytes; 1 evaluations removed, \d+ bytes\n$", Cache("clear"));
        Assert.Equal($"{workspace.Cache}: 0 entries, 0 bytes\n", Cache("stats"));
        Assert.Equal(Number(first, "perplexity"), Number(EvalReport(LanguageModel.On), "perplexity"));
    }

    [Fact]
    public void TokenIdsNeedNoTokenizerAndAreTakenAsTheyAre()
    {
        string model = LanguageModel.CopyTo(workspace, "model.safetensors", "config.json");
        workspace.Text("a.ids", "1 403 407 261 378 1 403 407 261 378");
        var outcome = Eval(model, "--text", "a.ids", "--window", "5", "--report", "report.json");
        Assert.Equal((ExitCodes.Ok, ""), (outcome.ExitCode, outcome.Error));
        var report = Report("report.json");
        Assert.Equal((2 * 4, null), ((int)report["tokens"]!, (int?)report["bos"]));
        workspace.Text("b.ids", "[1, 403, 407, 261, 378]");
        Eval(model, "--text", "b.ids", "--window", "5", "--report", "once.json");
        Assert.Equal(Number(Report("once.json"), "perplexity"), Number(report, "perplexity"), 1e-6);
    }

    [Theory]
    [InlineData(Codes.EvaluationText, "the text cannot be read", "--text", "none.txt")]
    [InlineData(Codes.EvaluationText, "has too few tokens to predict one", "--text", "blank.txt")]
    [InlineData(Codes.EvaluationText, "has too few tokens to predict one", "--text", "blank.ids")]
    [InlineData(Codes.EvaluationText, "has too few tokens to predict one", "--text", "blank.txt", "--unit", "paragraph")]
    [InlineData(Codes.EvaluationText, "not valid UTF-8 (near byte 1)", "--text", "latin.txt")]
    [InlineData(Codes.EvaluationText, "one window takes 511; give a longer text or a smaller window", "--text", "held-out.txt")]
    [InlineData(Codes.EvaluationText, "the text has 3 tokens, and one window takes 4", "--text", "three.ids", "--window", "4")]
    [InlineData(Codes.EvaluationText, "has positions for 512", "--text", "held-out.txt", "--window", "513")]
    [InlineData(Codes.TokenFileMalformed, "512 is not in the vocabulary, whose ids are 0 to 511", "--text", "wrong.ids")]
    [InlineData(Codes.ModelNotReadable, "there is no such file", "--text", "held-out.txt", "--window", "33", "--packed", "none.safetensors")]
    [InlineData(Codes.PackedMalformed, "the packed model is damaged", "--text", "held-out.txt", "--window", "33", "--packed", "held-out.txt")]
    [InlineData(Codes.LanguageModelPacked, "no tensor of the model", "--text", "held-out.txt", "--window", "33", "--packed", "other.safetensors")]
    public void WhatDoesNotDoIsOneLine(string code, string says, params string[] args)
    {
        workspace.Text("blank.txt", "\n \r\n\t");
        workspace.Text("blank.ids", " \n");
        workspace.Text("three.ids", "1 2 3");
        workspace.Text("wrong.ids", "1\n512");
        workspace.Model(TestModel.Ordinary(), "other.safetensors");
        File.WriteAllBytes(workspace["latin.txt"], [0x61, 0xE9, 0x62]);
        var outcome = Eval(LanguageModel.Folder, args);
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.Contains(says, outcome.Single(code), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer.model", Codes.TokenizerNotReadable, "the model's folder has no tokenizer")]
    [InlineData("config.json", Codes.LanguageModelConfig, "there is no config.json beside the model")]
    public void ModelWithoutAFileThatItNeeds(string file, string code, string says)
    {
        string[] files = ["model.safetensors", "config.json", "tokenizer.model"];
        string model = LanguageModel.CopyTo(workspace, [.. files.Where(other => other != file)]);
        Assert.Contains(says, Eval(model, LanguageModel.On).Single(code), StringComparison.Ordinal);
    }

    [Fact]
    public void TokenizerOfAnotherModel()
    {
        // The model's embedding and configuration say 100 tokens; the tokenizer has 512.
        string model = LanguageModel.CopyTo(workspace, "tokenizer.model");
        workspace.Text(Path.Combine("model", "config.json"), """
            { "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 0, "num_attention_heads": 2,
              "vocab_size": 100, "max_position_embeddings": 128, "tie_word_embeddings": true }
            """);
        workspace.Model(
            new TestModel().AddGaussian("model.embed_tokens.weight", 100, 8, 1).Add("model.norm.weight", [8], TestModel.Gaussian(8, 2)),
            Path.Combine("model", "model.safetensors"));
        string line = Eval(model, LanguageModel.On).Single(Codes.TokenizerNotOfModel);
        Assert.StartsWith($"{workspace["model", "tokenizer.model"]}(1,1): error ", line, StringComparison.Ordinal);
        Assert.Contains("the tokenizer has 512 tokens and the model 100: they do not belong together", line, StringComparison.Ordinal);
    }

    [Fact]
    public void FolderThatIsNoLanguageModel()
    {
        workspace.Model(TestModel.Ordinary());
        workspace.Text("config.json", "{ \"architectures\": [\"ResNetForImageClassification\"] }");
        Assert.Contains("known are LlamaForCausalLM", Eval("model.safetensors", LanguageModel.On).Single(Codes.LanguageModelUnknown), StringComparison.Ordinal);
    }

    public void Dispose() => workspace.Dispose();

    private static double Number(JsonObject report, string name) => (double)report[name]!;

    private JsonObject Report(params string[] names) => JsonNode.Parse(File.ReadAllText(workspace[names]))!.AsObject();

    private JsonObject EvalReport(string[] args)
    {
        var outcome = Eval(LanguageModel.Folder, [.. args, "--report", "eval.json"]);
        Assert.True(outcome.ExitCode == ExitCodes.Ok, outcome.Error);
        return Report("eval.json");
    }

    private Outcome Eval(string model, params string[] args) => workspace.Run(["eval", model, .. args, "--cache", workspace.Cache]);

    private string Cache(string command) => workspace.Run("cache", command, "--cache", workspace.Cache).Output;
}
