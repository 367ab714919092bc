using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Locating;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>source:</c>.</summary>
/// <param name="text">The whole recipe.</param>
/// <param name="file">Its file, if it is one.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class SourceReader(string text, string? file, RecipeValues values, RecipeErrors errors)
{
    /// <summary>Reads which dictionary of a checkpoint is the model.</summary>
    public NamedStateDict? Read(YamlEntry entry)
    {
        if (values.Map(entry.Key, entry.Value, $"'{RecipeKeys.StateDict}'") is not { } map)
        {
            return null;
        }

        int before = errors.Count;
        values.RefuseOthers(map, RecipeKeys.OfSource);
        if (errors.Count > before)
        {
            return null;
        }

        if (map.Find(RecipeKeys.StateDict) is not { } named)
        {
            errors.Add(Codes.RecipeMissingKey, map.Position, $"'{entry.Key}' has no '{RecipeKeys.StateDict}', the name of the dictionary that is the model");
            return null;
        }

        const string Expected = "the name of a dictionary in the model's file";
        if (values.Text(named.Key, named.Value, Expected) is not { } name)
        {
            return null;
        }

        if (name.Length == 0)
        {
            values.BadValue(named.Key, named.Value, Expected);
            return null;
        }

        var found = NamedStateDict.Find(text, file);
        if (found?.Name != name)
        {
            errors.Add(
                Codes.RecipeBadValue,
                named.Value.Position,
                $"'{named.Key}' must be found without the rest of the recipe; write '{entry.Key}: {{ {named.Key}: NAME }}' on a line of its own, or '{named.Key}: NAME' below '{entry.Key}:', without escapes");
            return null;
        }

        return found;
    }
}
