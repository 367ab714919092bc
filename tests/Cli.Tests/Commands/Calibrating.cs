using System.Text.Json;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

/// <summary><c>compress calibrate</c> on stories260K, and <c>compress inspect</c> of what it writes.</summary>
public sealed class Calibrating : IDisposable
{
    private readonly Workspace workspace = new();
    private readonly string model;

    public Calibrating()
    {
        foreach (string file in (string[])["model.safetensors", "config.json", "tokenizer.model"])
        {
            File.Copy(Path.Combine(Path.GetDirectoryName(Assets.Stories)!, file), workspace[file]);
        }

        model = workspace["model.safetensors"];
        workspace.Text("t.txt", "Spot saw the shiny car and said, \"Wow, Kitty, your car is so bright and clean!\"\n\nOnce upon a time, there lived a rhinoceros named Roxy.\n");
    }

    public void Dispose() => workspace.Dispose();

    [Fact]
    public void WritesStatisticsThatInspectShows()
    {
        var outcome = Calibrate("--tokens", "60", "--window", "20", "--seed", "3");
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Contains("s.safetensors: 36 layers with 21 inputs, 60 tokens, 869 kB\n", outcome.Output, StringComparison.Ordinal);
        Assert.Contains($"warning {Codes.CalibrationTooLittle}: the calibration text gives 60 tokens, fewer than 36 of 36 layers have inputs", Assert.Single(outcome.Diagnostics), StringComparison.Ordinal);

        string[] lines = workspace.Run("inspect", "s.safetensors").Output.TrimEnd().Split('\n');
        Assert.Matches("^layer +inputs +tokens +left out +mean square +statistics$", lines[0]);
        Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(
            line, @"^model\.layers\.4\.mlp\.down_proj\.weight +172 +60 +0 +0\.\d+ +inputSecondMoments, inputMeans$"));
        Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(
            line, @"^model\.layers\.0\.self_attn\.k_proj\.weight +64 +60 +0 +\S+ +as model\.layers\.0\.self_attn\.q_proj\.weight$"));
        Assert.Equal("statistics: 36 layers, 60 tokens, 869 kB", lines[^1]);

        using var json = JsonDocument.Parse(workspace.Run("inspect", "s.safetensors", "--json").Output);
        Assert.Equal(
            ["file", "bytes", "tokens", "text", "model", "layers"], json.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.EndsWith(" tokens=60 unit=document window=20 seed=3", json.RootElement.GetProperty("text").GetString()!, StringComparison.Ordinal);
        Assert.Equal(36, json.RootElement.GetProperty("layers").GetArrayLength());
    }

    [Fact]
    public void GivesTheSameBytesFromTheCacheAndWithoutOne()
    {
        Calibrate();
        byte[] first = File.ReadAllBytes(workspace["s.safetensors"]);
        int entries = Directory.GetFiles(workspace.Cache, "*.layer", SearchOption.AllDirectories).Length;
        Assert.Equal(2 * 21, entries);
        Calibrate();
        Assert.Equal(first, File.ReadAllBytes(workspace["s.safetensors"]));
        Assert.Equal(ExitCodes.Ok, workspace.Run("calibrate", model, "--text", "t.txt", "--output", "s.safetensors", "--no-cache").ExitCode);
        Assert.Equal(first, File.ReadAllBytes(workspace["s.safetensors"]));
        Assert.DoesNotContain(workspace.Files(), name => name.Contains(".layers.", StringComparison.Ordinal));
    }

    [Fact]
    public void WritesTheKindsThatAreAskedFor()
    {
        Assert.Equal(ExitCodes.Ok, Calibrate("--tokens", "40", "--window", "20", "--kinds", "outputGradients, squaredGradients").ExitCode);
        string[] lines = workspace.Run("inspect", "s.safetensors").Output.TrimEnd().Split('\n');
        Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(
            line, @"^model\.layers\.4\.mlp\.down_proj\.weight +172 +40 +0 +- +squaredGradients, outputGradients$"));
        Assert.Equal(2 * 36, Directory.GetFiles(workspace.Cache, "*.layer", SearchOption.AllDirectories).Length);
        Assert.Equal(ExitCodes.Ok, Calibrate("--tokens", "40", "--window", "20", "--kinds", "all").ExitCode);
        lines = workspace.Run("inspect", "s.safetensors").Output.TrimEnd().Split('\n');
        Assert.Equal(20, lines.Count(line => line.EndsWith(
            "  inputSecondMoments, inputMeans, outputCovariance, squaredGradients, hiddenGradients, outputGradients", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.EndsWith(
            "  as model.layers.1.mlp.up_proj.weight, outputCovariance, squaredGradients, hiddenGradients, outputGradients", StringComparison.Ordinal));
    }

    [Fact]
    public void ATextThatIsNotThereIsAnError() =>
        Assert.Contains("nowhere.txt", workspace.Run("calibrate", model, "--text", "nowhere.txt", "--output", "s.safetensors").Single(Codes.EvaluationText), StringComparison.Ordinal);

    [Theory]
    [InlineData("--tokens", "0", "--tokens is '0'; give a whole number of at least 1")]
    [InlineData("--window", "1", "--window is '1'; give a whole number of at least 2")]
    [InlineData("--unit", "page", "--unit is 'page'; give document or paragraph")]
    [InlineData("--kinds", "inputMeans,moments", "--kinds has 'moments'; give inputSecondMoments, inputMeans, outputCovariance, squaredGradients, hiddenGradients, outputGradients, or all")]
    [InlineData("--seed", "-1", "--seed is '-1'; give a whole number of at least 0")]
    public void WrongOptionsAreExplained(string option, string value, string message)
    {
        var outcome = Calibrate(option, value);
        Assert.Equal(ExitCodes.Usage, outcome.ExitCode);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileOfStatisticsThatIsMalformedIsAnError()
    {
        TestModel.WriteRaw(workspace["s.safetensors"], """{"__metadata__":{"compress.statistics":"{}"}}""", []);
        workspace.Run("inspect", "s.safetensors").Single(Codes.StatisticsMalformed);
    }

    private Outcome Calibrate(params string[] more) =>
        workspace.Run(["calibrate", model, "--text", "t.txt", "--output", "s.safetensors", "--cache", workspace.Cache, .. more]);
}
