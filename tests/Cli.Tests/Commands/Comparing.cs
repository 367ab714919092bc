using System.Text.Json;
using System.Text.RegularExpressions;
using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.Commands;

/// <summary><c>compress compare</c>. Its page is looked at in tests/Page.Tests.</summary>
public sealed class Comparing : IDisposable
{
    private readonly Workspace workspace = new();

    public Comparing()
    {
        workspace.Text("held-out.txt", LanguageModel.Text);
        workspace.Text("three.yaml", "bits: 3");
        workspace.Text("eight.yaml", "method: uniform\nbits: 8");
    }

    [Fact]
    public void TableAndReportHaveWhatEachRecipeDoes()
    {
        var outcome = Compare(Assets.Stories, [.. LanguageModel.On, "--recipe", "three.yaml", "--recipe", "eight.yaml", "--report", "made/report.json"]);
        Assert.Equal((ExitCodes.Ok, ""), (outcome.ExitCode, outcome.Error));
        var report = Report("made", "report.json");
        double source = Number(report, "perplexity");
        var recipes = report.GetProperty("recipes").EnumerateArray().ToArray();
        Assert.Equal(["three.yaml", "eight.yaml"], recipes.Select(recipe => recipe.GetProperty("name").GetString()));
        string[] lines = outcome.Output.TrimEnd().Split('\n');
        Assert.Matches(@"^recipe +packed +bits/weight +relative error +perplexity +KL +time$", lines[0]);
        Assert.Matches($@"^\(source\) +1\.04 MB +- +- +{source:F4} +- +-$", lines[1]);
        foreach (var (line, recipe) in lines[2..].Zip(recipes))
        {
            Assert.Matches(
                $@"^{recipe.GetProperty("name")} +\d+ kB +{Number(recipe, "bitsPerWeight"):F2} +{Number(recipe, "relativeError"):F4} +{Number(recipe, "perplexity"):F4} +{Number(recipe, "kl"):F5} +\d", line);
        }

        Assert.InRange(Number(recipes[1], "perplexity"), source * 0.99, source * 1.01);
        Assert.True(Number(recipes[0], "kl") > 100 * Number(recipes[1], "kl"));

        // The same as what run and eval say of one of them.
        string packed = workspace.Packed(Assets.Stories, "--recipe", workspace["three.yaml"]);
        workspace.Run(["eval", LanguageModel.Folder, .. LanguageModel.On, "--packed", packed, "--no-cache", "--report", "eval.json"]);
        Assert.Equal(
            (new FileInfo(packed).Length, Number(recipes[0], "perplexity"), Number(recipes[0], "kl")),
            ((long)Number(recipes[0], "packedBytes"), Number(Report("eval.json"), "perplexity"), Number(Report("eval.json"), "kl")));
    }

    [Fact]
    public void WithoutATextNothingIsPredicted()
    {
        string model = workspace.Model(TestModel.Ordinary()); // no language model at all
        var outcome = Compare(model, "--recipe", "three.yaml", "--report", "report.json", "--html", "made/page.html");
        Assert.Equal((ExitCodes.Ok, ""), (outcome.ExitCode, outcome.Error));
        Assert.Matches(@"\nthree\.yaml .* - +- +\d+ ms\n$", outcome.Output);
        var report = Report("report.json");
        Assert.All(["perplexity", "evaluation"], name => Assert.Equal(JsonValueKind.Null, report.GetProperty(name).ValueKind));
        Assert.Contains("layers.0.up.weight", File.ReadAllText(workspace["made", "page.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void LayersComeFromTheCacheUnlessItIsOff()
    {
        string model = workspace.Model(TestModel.Ordinary());
        workspace.Text("same.yaml", "bits: 3 # in other words");
        Assert.Equal([(0, 2), (2, 0)], Hits("--cache", workspace.Cache));
        Assert.Equal([(2, 0), (2, 0)], Hits("--cache", workspace.Cache));
        Directory.Delete(workspace.Cache, recursive: true);
        Assert.Equal([(0, 2), (0, 2)], Hits("--no-cache"));
        Assert.False(Directory.Exists(workspace.Cache));

        (int, int)[] Hits(params string[] args)
        {
            var outcome = workspace.Run(["compare", model, "--recipe", "three.yaml", "--recipe", "same.yaml", "--report", "report.json", .. args]);
            Assert.True(outcome.ExitCode == ExitCodes.Ok, outcome.Error);
            return [.. Report("report.json").GetProperty("recipes").EnumerateArray().Select(recipe => ((int)Number(recipe, "cacheHits"), (int)Number(recipe, "cacheMisses")))];
        }
    }

    [Fact]
    public void FolderIsAllItsRecipes()
    {
        string model = workspace.Model(TestModel.Ordinary());
        Directory.CreateDirectory(workspace["recipes"]);
        workspace.Text("recipes/b.yaml", "bits: 3");
        workspace.Text("recipes/a.yaml", "bits: 2");
        workspace.Text("recipes/notes.txt", "no recipe");
        var outcome = Compare(model, "--recipe", "recipes", "--recipe", "eight.yaml");
        Assert.Equal((ExitCodes.Ok, ""), (outcome.ExitCode, outcome.Error));
        Assert.Equal(["a.yaml", "b.yaml", "eight.yaml"], outcome.Output.TrimEnd().Split('\n')[2..].Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public void FolderWithoutRecipesIsNamed()
    {
        workspace.Model(TestModel.Ordinary());
        Directory.CreateDirectory(workspace["recipes"]);
        Assert.StartsWith(workspace["recipes"], Compare("model.safetensors", "--recipe", "recipes").Single(Codes.ItemRecipeMissing), StringComparison.Ordinal);
    }

    // Who compares wants to see the recipe that fails beside those that pass.
    [Fact]
    public void GateThatFailsIsAWarning()
    {
        string model = workspace.Model(TestModel.Ordinary());
        workspace.Text("strict.yaml", "bits: 2\ngate: { relativeError: 0.0001 }");
        var outcome = Compare(model, "--recipe", "strict.yaml", "--recipe", "eight.yaml");
        Assert.Equal(ExitCodes.Ok, outcome.ExitCode);
        Assert.Contains("strict.yaml(2,24): warning CMPR2101: ", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(4, outcome.Output.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public void NothingIsLeftBehind()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // there a process's temporary folder is not its caller's choice
        }

        workspace.Model(TestModel.Ordinary());
        Directory.CreateDirectory(workspace["tmp"]);
        string[] before = workspace.Files();
        string compare = $"TMPDIR='{workspace["tmp"]}' {Shell.Program} compare model.safetensors --no-cache --recipe three.yaml";
        Assert.Equal(ExitCodes.Ok, Shell.Run(workspace, compare).ExitCode);
        Shell.Run(workspace, compare + " --recipe none.yaml").Single(Codes.ItemRecipeMissing);
        Assert.Equal(before, workspace.Files());
        Assert.Empty(Directory.GetDirectories(workspace["tmp"]));
    }

    [Fact]
    public void TextThatDoesNotDoIsOneLine() => Assert.Contains(
        "one window takes 511", Compare(Assets.Stories, "--recipe", "three.yaml", "--text", "held-out.txt").Single(Codes.EvaluationText), StringComparison.Ordinal);

    [Fact]
    public void UnwritablePageIsNamed()
    {
        workspace.Model(TestModel.Ordinary());
        Directory.CreateDirectory(workspace["page.html"]);
        string line = Compare("model.safetensors", "--recipe", "three.yaml", "--html", "page.html").Single(Codes.OutputNotWritable);
        Assert.StartsWith(workspace["page.html"], line, StringComparison.Ordinal);
    }

    public void Dispose() => workspace.Dispose();

    private static double Number(JsonElement element, string name) => element.GetProperty(name).GetDouble();

    private JsonElement Report(params string[] names) => JsonDocument.Parse(File.ReadAllBytes(workspace[names])).RootElement;

    private Outcome Compare(string model, params string[] args) => workspace.Run(["compare", model, .. args, "--cache", workspace.Cache]);
}
