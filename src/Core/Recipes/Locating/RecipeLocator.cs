using System.IO;
using Compress.Core.Models.Formats;

namespace Compress.Core.Recipes.Locating;

/// <summary>Where a model's recipe was found.</summary>
public enum RecipeOrigin
{
    /// <summary>Nowhere: the built-in defaults hold.</summary>
    BuiltIn,

    /// <summary>The user named it.</summary>
    Explicit,

    /// <summary>Beside the model, with the model's name.</summary>
    Model,

    /// <summary><c>compress.yaml</c> in the model's folder.</summary>
    Folder,

    /// <summary>The user named a file that does not exist.</summary>
    Missing,
}

/// <summary>What the look-up found.</summary>
/// <param name="Origin">Where.</param>
/// <param name="Path">The absolute path; null for <see cref="RecipeOrigin.BuiltIn"/>.</param>
public sealed record RecipeLocation(RecipeOrigin Origin, string? Path);

/// <summary>
/// Finds a model's recipe: the one named explicitly, else <c>&lt;model&gt;.compress.yaml</c> beside the model, else <c>compress.yaml</c> in
/// the model's folder, else none. <c>&lt;model&gt;</c> is a file's name without its extension (<c>stories.safetensors</c> →
/// <c>stories</c>; <c>model.safetensors.index.json</c> → <c>model</c>), and a folder's whole name. For a folder, <c>compress.yaml</c> stands in it.
/// This file is also compiled into the MSBuild task.
/// </summary>
public static class RecipeLocator
{
    /// <summary>The name of a folder's recipe.</summary>
    public const string FolderRecipe = "compress.yaml";

    private const string ModelSuffix = ".compress.yaml";

    /// <summary>Finds the recipe. Looks at no file's content.</summary>
    /// <param name="modelPath">The absolute path of the model, a file or a folder.</param>
    /// <param name="explicitRecipe">The absolute path that the user gave; null or empty if none.</param>
    public static RecipeLocation Find(string modelPath, string? explicitRecipe)
    {
        if (explicitRecipe is { Length: > 0 })
        {
            return new(File.Exists(explicitRecipe) ? RecipeOrigin.Explicit : RecipeOrigin.Missing, explicitRecipe);
        }

        string ofModel = Beside(modelPath);
        if (File.Exists(ofModel))
        {
            return new(RecipeOrigin.Model, ofModel);
        }

        string folder = Directory.Exists(modelPath) ? modelPath : Path.GetDirectoryName(modelPath) ?? "";
        string ofFolder = Path.Combine(folder, FolderRecipe);
        return File.Exists(ofFolder) ? new(RecipeOrigin.Folder, ofFolder) : new(RecipeOrigin.BuiltIn, null);
    }

    /// <summary>The recipe of this model alone: <c>&lt;model&gt;.compress.yaml</c> beside it.</summary>
    /// <param name="modelPath">The absolute path of the model, a file or a folder.</param>
    public static string Beside(string modelPath) =>
        Path.Combine(Path.GetDirectoryName(Trimmed(modelPath)) ?? "", ModelName(modelPath) + ModelSuffix);

    /// <summary>The name of a model: its file's without extension, its folder's whole.</summary>
    /// <param name="modelPath">The absolute path of the model, a file or a folder.</param>
    public static string ModelName(string modelPath)
    {
        string name = Path.GetFileName(Trimmed(modelPath));
        if (Directory.Exists(modelPath))
        {
            return name;
        }

        string stem = ModelFormats.Stem(name);
        return stem.Length < name.Length ? stem : Path.GetFileNameWithoutExtension(name);
    }

    private static string Trimmed(string path) => path.TrimEnd(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
}
