using System.Globalization;
using System.Text.RegularExpressions;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

/// <summary><c>compress run</c> with <c>feedback: gptq</c> on stories260K: calibrated on one half of the sample's text, measured on the other.</summary>
public sealed class RunningWithFeedback : IDisposable
{
    private const string Rules = "layers:\n- match: 'model.embed_tokens.weight'\n  keep: source\n", Calibration = "calibration: { text: calibration.txt, unit: paragraph }\n";

    private readonly Workspace workspace = new();

    public RunningWithFeedback()
    {
        string[] paragraphs = File.ReadAllText(Path.Combine(LanguageModel.Folder, "held-out.txt")).Split("\n\n");
        workspace.Text("calibration.txt", string.Join("\n\n", paragraphs[..(paragraphs.Length / 2)]));
        workspace.Text("other.txt", string.Join("\n\n", paragraphs[(paragraphs.Length / 2)..]));
    }

    public void Dispose() => workspace.Dispose();

    // 3 bits lose so much that the gain is far from chance; docs/codecs has figures on more text.
    [Theory]
    [InlineData("uniform")]
    [InlineData("higgs")]
    public void PerplexityIsFarLowerThanWithPlainRounding(string method)
    {
        string recipe = $"method: {method}\nbits: 3\n";
        double plain = Perplexity(recipe + Rules), fedBack = Perplexity(recipe + "feedback: gptq\n" + Rules + Calibration);
        Assert.InRange(fedBack / plain, 0.3, 0.85);
    }

    [Fact]
    public void WithoutCalibrationItIsAnErrorThatSaysWhatToDo()
    {
        workspace.Text("r.yaml", "method: uniform\nfeedback: gptq\n" + Rules);
        string error = workspace.Run("run", Assets.Stories, "--recipe", "r.yaml", "--no-cache").Single(Codes.CalibrationMissing);
        Assert.Contains("needs inputSecondMoments of each layer", error, StringComparison.Ordinal);
    }

    [Fact]
    public void SecondRunIsFromTheCache()
    {
        workspace.Text("r.yaml", "method: uniform\nbits: 4\nfeedback: gptq\n" + Rules + Calibration);
        string packed = workspace.Packed(Assets.Stories, "--recipe", "r.yaml");
        byte[] first = File.ReadAllBytes(packed);
        File.Delete(packed);
        Assert.Contains("35 layers: 35 cached, 0 encoded; ", workspace.Run("run", Assets.Stories, "--recipe", "r.yaml", "--cache", workspace.Cache).Output, StringComparison.Ordinal);
        Assert.Equal(first, File.ReadAllBytes(packed));
    }

    private double Perplexity(string recipe)
    {
        workspace.Text("r.yaml", recipe);
        string packed = workspace.Packed(Assets.Stories, "--recipe", "r.yaml");
        var outcome = workspace.Run(
            "eval", LanguageModel.Folder, "--text", "other.txt", "--unit", "paragraph", "--window", "129", "--limit", "12", "--packed", packed, "--cache", workspace.Cache);
        Assert.True(outcome.ExitCode == ExitCodes.Ok, outcome.Error);
        return double.Parse(Regex.Match(outcome.Output, @"\npacked +(\d+\.\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
    }
}
