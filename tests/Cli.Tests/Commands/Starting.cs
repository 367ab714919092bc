using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes;

namespace Compress.Cli.Tests.Commands;

/// <summary><c>compress init</c>.</summary>
public sealed class Starting : IDisposable
{
    private readonly Workspace workspace = new();

    [Fact]
    public void WritesARecipeWhereRunFindsIt()
    {
        string model = workspace.Model(TestModel.Ordinary());
        var outcome = workspace.Run("init", model);
        string recipe = workspace["model.compress.yaml"];
        Assert.Equal((ExitCodes.Ok, $"{recipe}: written\n"), (outcome.ExitCode, outcome.Output));
        var diagnostics = new DiagnosticBag();
        Assert.NotNull(RecipeReader.Read(recipe, diagnostics));
        Assert.Empty(diagnostics.Items);
        File.AppendAllText(recipe, "mistake: 1\n");
        Assert.StartsWith(recipe, workspace.Run("run", model, "--no-cache").Single(Codes.RecipeUnknownKey), StringComparison.Ordinal);
    }

    [Fact]
    public void WritesTheSchemaThatTheRecipeNamesBesideIt()
    {
        workspace.Run("init", workspace.Model(TestModel.Ordinary()));
        const string prefix = "# yaml-language-server: $schema=";
        string first = File.ReadLines(workspace["model.compress.yaml"]).First();
        Assert.StartsWith(prefix, first, StringComparison.Ordinal);
        string schema = File.ReadAllText(workspace[first[prefix.Length..]]);
        Assert.Equal(workspace.Run("schema").Output, schema);
        Assert.Equal(RecipeSchema.Create(), schema);
    }

    [Fact]
    public void NamesTheDictionaryThatItIsFor()
    {
        string model = workspace["pair.pt"];
        File.Copy(Path.Combine(AppContext.BaseDirectory, "assets", "pytorch", "pair.pt"), model);
        Assert.Contains("'encoder', 'decoder'", workspace.Run("init", model).Single(Codes.ModelStateDict), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Ok, workspace.Run("init", model, "--state-dict", "decoder").ExitCode);
        Assert.Contains("source: { stateDict: \"decoder\" }\n", File.ReadAllText(workspace["pair.compress.yaml"]), StringComparison.Ordinal);

        // Which is then the model for all commands, unless another is named.
        Assert.Contains("source model: 1 tensors", workspace.Run("inspect", model).Output, StringComparison.Ordinal);
        Assert.Contains("source model: 21 tensors", workspace.Run("inspect", model, "--state-dict", "encoder").Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Ok, workspace.Run("run", model, "--no-cache", "--output", workspace["out"]).ExitCode);
        Assert.Equal(ExitCodes.Ok, workspace.Run("verify", workspace["out", "pair.packed.safetensors"], "--against", model).ExitCode);

        string other = workspace.Text("other.yaml", "source: { stateDict: encoder }\n");
        Assert.StartsWith(other, workspace.Run("compare", model, "--recipe", workspace["pair.compress.yaml"], "--recipe", other).Single(Codes.ModelStateDict), StringComparison.Ordinal);
    }

    [Fact]
    public void SchemaThatIsThereStaysUnlessForcedOrNamed()
    {
        string model = workspace.Model(TestModel.Ordinary());
        string schema = workspace.Text(RecipeSchema.FileName, "mine");
        workspace.Run("init", model);
        Assert.Equal("mine", File.ReadAllText(schema));
        workspace.Run("init", model, "--force");
        Assert.Equal(RecipeSchema.Create(), File.ReadAllText(schema));
        Assert.Equal(ExitCodes.Ok, workspace.Run("schema", "--output", "deep/s.json").ExitCode);
        Assert.Equal(RecipeSchema.Create(), File.ReadAllText(workspace["deep", "s.json"]));
    }

    [Fact]
    public void TheRecipeGivesWhatTheDefaultsGive()
    {
        string model = workspace.Model(TestModel.Ordinary());
        byte[] expected = File.ReadAllBytes(workspace.Packed(model));
        workspace.Run("init", model);
        File.Delete(workspace["model.packed.safetensors"]);
        Assert.Equal(expected, File.ReadAllBytes(workspace.Packed(model)));
    }

    [Fact]
    public void NeverOverwritesUnlessForced()
    {
        string model = workspace.Model(TestModel.Ordinary());
        string recipe = workspace.Text("model.compress.yaml", "mine");
        var outcome = workspace.Run("init", model);
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.StartsWith(recipe, outcome.Single(Codes.OutputNotWritable), StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(recipe));
        Assert.Equal(ExitCodes.Ok, workspace.Run("init", model, "--force").ExitCode);
        Assert.NotEqual("mine", File.ReadAllText(recipe));
    }

    [Fact]
    public void WritesWhereItIsTold()
    {
        Assert.Equal(ExitCodes.Ok, workspace.Run("init", workspace.Model(TestModel.Ordinary()), "--output", "deep/r.yaml").ExitCode);
        Assert.NotEqual((byte)0xEF, File.ReadAllBytes(workspace["deep", "r.yaml"])[0]); // no byte order mark
    }

    [Fact]
    public void WithoutAModelWritesNothing()
    {
        workspace.Run("init", "none.safetensors").Single(Codes.ModelNotReadable);
        Assert.Empty(workspace.Files());
    }

    public void Dispose() => workspace.Dispose();
}
