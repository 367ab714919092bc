using Compress.Cli.Tests.Infra;
using Compress.Core.Diagnostics;

namespace Compress.Cli.Tests.BadInput;

/// <summary>Mistakes in recipes arrive at the user with line and column. (Core.Tests has every kind of mistake.)</summary>
public sealed class WrongRecipes : IDisposable
{
    private readonly Workspace workspace = new();

    [Theory]
    [InlineData(Codes.RecipeSyntax, 2, 1, "version: 1\n\tbits: 4\n")]
    [InlineData(Codes.RecipeUnknownKey, 2, 1, "version: 1\nbit: 4\n")]
    [InlineData(Codes.RecipeWrongType, 2, 7, "version: 1\nbits: four\n")]
    [InlineData(Codes.RecipeBadValue, 2, 7, "version: 1\nbits: 40\n")]
    [InlineData(Codes.RecipeUnknownMethod, 2, 9, "version: 1\nmethod: higs\n")]
    [InlineData(Codes.RecipeVersion, 1, 10, "version: 9\n")]
    public void AreShownAtTheirPlace(string code, int line, int column, string recipe)
    {
        string file = workspace.Text("model.compress.yaml", recipe);
        var outcome = workspace.Run("run", workspace.Model(TestModel.Ordinary()), "--no-cache");
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.StartsWith($"{file}({line},{column}): ", outcome.Single(code), StringComparison.Ordinal);
        Assert.Equal(["model.compress.yaml", "model.safetensors"], workspace.Files());
    }

    [Fact]
    public void ThatAreMissingAreNamed() =>
        Assert.StartsWith(
            workspace["none.yaml"],
            workspace.Run("run", workspace.Model(TestModel.Ordinary()), "--no-cache", "--recipe", "none.yaml").Single(Codes.ItemRecipeMissing),
            StringComparison.Ordinal);

    [Fact]
    public void GateThatFailsLeavesTheLastGoodOutput()
    {
        string model = workspace.Model(TestModel.Ordinary());
        byte[] lastGood = File.ReadAllBytes(workspace.Packed(model));
        string recipe = workspace.Text("r.yaml", "version: 1\nbits: 2\ngate:\n  relativeError: 0.05\n");
        var outcome = workspace.Run("run", model, "--cache", workspace.Cache, "--recipe", recipe);
        Assert.Equal(ExitCodes.Errors, outcome.ExitCode);
        Assert.StartsWith($"{recipe}(4,18): ", outcome.Single(Codes.GateFailed), StringComparison.Ordinal);
        Assert.Equal(lastGood, File.ReadAllBytes(workspace["model.packed.safetensors"]));
    }

    public void Dispose() => workspace.Dispose();
}
