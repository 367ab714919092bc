using Compress.Core.Calibration;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>calibration:</c>.</summary>
/// <param name="file">The recipe, whose folder paths are relative to.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class CalibrationReader(string? file, RecipeValues values, RecipeErrors errors)
{
    /// <summary>Reads where statistics come from.</summary>
    public StatisticsOrigin? Read(YamlEntry entry)
    {
        if (values.Map(entry.Key, entry.Value, $"'{RecipeKeys.Text}', or '{RecipeKeys.Statistics}'") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, RecipeKeys.OfCalibration);
        if (map.Find(RecipeKeys.Statistics) is { } statistics)
        {
            foreach (var other in map.Entries.Where(other => other != statistics && RecipeKeys.OfCalibration.Contains(other.Key)))
            {
                errors.Add(Codes.RecipeConflict, other.Position, $"'{other.Key}' is for statistics that are computed, and '{RecipeKeys.Statistics}' names a file of them; remove one of them");
            }

            return PathOf(statistics) is { } path ? new StatisticsOrigin.FromFile(path, statistics.Value.Position) : null;
        }

        if (map.Find(RecipeKeys.Text) is not { } text)
        {
            errors.Add(Codes.RecipeMissingKey, map.Position, $"'{entry.Key}' has no '{RecipeKeys.Text}', the text that the model is run on, and no '{RecipeKeys.Statistics}', a file");
            return null;
        }

        var settings = new CalibrationSettings(PathOf(text) ?? "")
        {
            Tokens = values.Count(map, RecipeKeys.Tokens, 1) ?? CalibrationSettings.DefaultTokens,
            Unit = map.Find(RecipeKeys.Unit) is { } unit && values.Choice(unit, RecipeKeys.Units) == "paragraph" ? TextUnit.Paragraph : TextUnit.Document,
            Window = values.Count(map, RecipeKeys.Window, 2),
            Seed = map.Find(RecipeKeys.Seed) is { } seed ? values.Seed(seed) : 0,
            Rounds = values.Count(map, RecipeKeys.Rounds, 1) ?? 1,
            Position = text.Value.Position,
        };
        return new StatisticsOrigin.FromText(settings, text.Value.Position);
    }

    private string? PathOf(YamlEntry entry) =>
        values.Text(entry.Key, entry.Value, "the path of a file") is { } path ? RecipeText.Absolute(path, file) : null;
}
