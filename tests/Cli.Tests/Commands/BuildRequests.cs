using System.Text.Json;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

public sealed class BuildRequests : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void GiveEachModelItsFiles()
    {
        string model = workspace.Model(TestModel.Ordinary());
        string recipe = workspace.Text("model.compress.yaml", "version: 1\nbits: 3\n");
        var outcome = Build(Request([("model.safetensors", null)]));
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Empty(outcome.Error);
        Assert.Matches(@"^summary: model: 31\.1 kB -> .*, 3\.\d\d bits per weight, .*; 2 layers: 0 cached, 2 encoded; 2 kept; .*\n$", outcome.Output);
        Assert.True(File.Exists(workspace["out", "model.safetensors.packed"]));
        using var report = JsonDocument.Parse(File.ReadAllBytes(workspace["out", "model.safetensors.report.json"]));
        Assert.Equal(4, report.RootElement.GetProperty("layers").GetArrayLength());
        using var record = JsonDocument.Parse(File.ReadAllBytes(workspace["out", "model.safetensors.inputs.json"]));
        Assert.Equal(["files"], record.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal([model, recipe], record.RootElement.GetProperty("files").EnumerateArray().Select(file => file.GetString()));
    }

    [Fact]
    public void GoOnAfterAModelThatFails()
    {
        workspace.Model(TestModel.Ordinary(), "good.safetensors");
        var outcome = Build(Request([("missing.safetensors", null), ("good.safetensors", workspace["no.yaml"]), ("good.safetensors", null)]));
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.Empty(outcome.Error);
        string[] lines = outcome.Output.TrimEnd().Split('\n');
        Assert.StartsWith($"{workspace["missing.safetensors"]}(1,1): error {Codes.ModelNotReadable}: ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"{workspace["no.yaml"]}(1,1): error {Codes.ItemRecipeMissing}: ", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("summary: good: ", Assert.Single(lines[2..]), StringComparison.Ordinal);
        Assert.Equal(
            ["good.safetensors.inputs.json", "good.safetensors.packed", "good.safetensors.report.json"],
            Directory.EnumerateFiles(workspace["out"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"models":null}""")]
    [InlineData("""{"models":[{"model":"/a"}]}""")]
    [InlineData("""{"models":[],"speed":1}""")]
    [InlineData("""{"models":[],"threads":"two"}""")]
    public void ThatAreMalformedAreRefused(string text)
    {
        var outcome = workspace.Run("msbuild", workspace.Text("request.json", text));
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.Empty(outcome.Error);
        Assert.StartsWith($"{workspace["request.json"]}(1,1): ", outcome.Single(Codes.ArgumentInvalid), StringComparison.Ordinal);
    }

    [Fact]
    public void ThatAreMissingAreRefused() => workspace.Run("msbuild", "none.json").Single(Codes.ModelNotReadable);

    [Fact]
    public void WithoutModelsDoNothing()
    {
        var outcome = workspace.Run("msbuild", workspace.Text("request.json", """{"models":[]}"""));
        Assert.Equal((ExitCodes.Ok, "", ""), (outcome.ExitCode, outcome.Output, outcome.Error));
    }

    [Fact]
    public void WithAnUnwritableReportFail()
    {
        workspace.Model(TestModel.Ordinary());
        Directory.CreateDirectory(workspace["out", "model.safetensors.report.json"]);
        var outcome = Build(Request([("model.safetensors", null)]));
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.StartsWith($"{workspace["out", "model.safetensors.report.json"]}(1,1): ", outcome.Single(Codes.OutputNotWritable), StringComparison.Ordinal);
    }

    public void Dispose() => workspace.Dispose();

    private Outcome Build(string request) => workspace.Run("msbuild", workspace.Text("request.json", request));

    private string Request(IEnumerable<(string Model, string? Recipe)> models) => JsonSerializer.Serialize(new
    {
        models = models.Select(model => new
        {
            model = workspace[model.Model],
            recipe = model.Recipe,
            output = workspace["out", model.Model + ".packed"],
            report = workspace["out", model.Model + ".report.json"],
            record = workspace["out", model.Model + ".inputs.json"],
        }),
        cache = workspace.Cache,
        threads = 2,
        force = false,
    });
}
