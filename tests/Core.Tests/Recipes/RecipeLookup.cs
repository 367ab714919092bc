using Compress.Core.Recipes.Locating;
using Compress.Core.Tests.Infra;

namespace Compress.Core.Tests.Recipes;

/// <summary>Which recipe a model has.</summary>
public class RecipeLookup
{
    [Fact]
    public void ExplicitComesFirst()
    {
        using var folder = Files("stories.safetensors", "stories.compress.yaml", "compress.yaml", "other.yaml");

        Assert.Equal(new(RecipeOrigin.Explicit, folder["other.yaml"]), RecipeLocator.Find(folder["stories.safetensors"], folder["other.yaml"]));
    }

    [Fact]
    public void ExplicitButAbsentIsMissing()
    {
        using var folder = Files("stories.safetensors", "stories.compress.yaml");

        Assert.Equal(new(RecipeOrigin.Missing, folder["other.yaml"]), RecipeLocator.Find(folder["stories.safetensors"], folder["other.yaml"]));
    }

    [Theory]
    [InlineData("stories.safetensors", "stories.compress.yaml")]
    [InlineData("tiny-1.1b.safetensors", "tiny-1.1b.compress.yaml")]
    [InlineData("model.safetensors.index.json", "model.compress.yaml")]
    [InlineData("model", "model.compress.yaml")]
    public void ThenTheModelsOwn(string model, string recipe)
    {
        using var folder = Files(model, recipe, "compress.yaml");

        Assert.Equal(new(RecipeOrigin.Model, folder[recipe]), RecipeLocator.Find(folder[model], ""));
        Assert.Equal(folder[recipe], RecipeLocator.Beside(folder[model]));
    }

    [Fact]
    public void ThenTheFolders()
    {
        using var folder = Files("stories.safetensors", "stories.safetensors.compress.yaml", "compress.yaml");

        Assert.Equal(new(RecipeOrigin.Folder, folder["compress.yaml"]), RecipeLocator.Find(folder["stories.safetensors"], null));
    }

    [Fact]
    public void ThenTheBuiltIn()
    {
        using var folder = Files("stories.safetensors", "novels.compress.yaml");
        Directory.CreateDirectory(folder["compress.yaml"]); // not a file

        Assert.Equal(new(RecipeOrigin.BuiltIn, null), RecipeLocator.Find(folder["stories.safetensors"], null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public void AFoldersRecipeStandsBesideOrInIt(string end)
    {
        using var folder = Files("llama-1.1/model.safetensors", "compress.yaml");
        string model = folder["llama-1.1"];

        Assert.Equal(RecipeOrigin.BuiltIn, RecipeLocator.Find(model + end, null).Origin);
        File.WriteAllText(folder["llama-1.1", "compress.yaml"], "");
        Assert.Equal(new(RecipeOrigin.Folder, folder["llama-1.1", "compress.yaml"]), RecipeLocator.Find(model, null));
        File.WriteAllText(folder["llama-1.1.compress.yaml"], "");
        Assert.Equal(new(RecipeOrigin.Model, folder["llama-1.1.compress.yaml"]), RecipeLocator.Find(model + end, null));
    }

    private static TempFolder Files(params string[] names)
    {
        var folder = new TempFolder();
        foreach (string name in names)
        {
            string path = folder[name.Split('/')];
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }

        return folder;
    }
}
