using System.Globalization;
using Compress.Core.Calibration;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Recipes.Yaml;
using Compress.Core.Recovery;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>recover:</c>.</summary>
/// <param name="file">The recipe, whose folder paths are relative to.</param>
/// <param name="calibration">Where the recipe gets statistics from, if it says: its text serves if there is no other.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class RecoveryReader(string? file, StatisticsOrigin? calibration, RecipeValues values, RecipeErrors errors)
{
    private const string Duration = "a duration such as 90 s, 10 min or 2 h";

    /// <summary>Reads how to train.</summary>
    public RecoverySettings? Read(YamlEntry entry)
    {
        if (values.Map(entry.Key, entry.Value, $"keys such as '{RecipeKeys.Steps}: {RecoverySettings.DefaultSteps}'") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, RecipeKeys.OfRecovery);
        var blocks = map.Find(RecipeKeys.Blocks) is { } each ? Blocks(each) : null;
        return On(map) is not { } on ? null : new(on)
        {
            Blocks = blocks,

            // Without blocks, no steps would be no training.
            Steps = values.Count(map, RecipeKeys.Steps, blocks is null ? 1 : 0) ?? RecoverySettings.DefaultSteps,
            Time = Time(map),
            LearningRate = LearningRate(map) ?? RecoverySettings.DefaultLearningRate,
            Temperature = map.Find(RecipeKeys.Temperature) is { } temperature ? values.PositiveNumber(temperature, 100, "a number above 0 and up to 100, such as 1") ?? 0 : 1,
            Position = entry.Position,
        };
    }

    private CalibrationSettings? On(YamlMap map)
    {
        var shared = (calibration as StatisticsOrigin.FromText)?.Settings;
        var text = map.Find(RecipeKeys.Text);
        string? path = text is null ? null : values.Text(text.Key, text.Value, "the path of a file");
        if (text is null && shared is null)
        {
            errors.Add(Codes.RecipeMissingKey, map.Position, $"'{RecipeKeys.Recover}' has no '{RecipeKeys.Text}' to train on, and there is no 'calibration: {{ text: FILE }}'; add one of them");
            return null;
        }

        if (text is not null && path is null)
        {
            return null;
        }

        // Another text says for itself what its units are.
        var unit = map.Find(RecipeKeys.Unit);
        var chosen = path is null ? shared! : new CalibrationSettings(RecipeText.Absolute(path, file));
        return chosen with
        {
            Tokens = values.Count(map, RecipeKeys.Tokens, 2) ?? RecoverySettings.DefaultTokens,
            Unit = unit is null ? chosen.Unit : values.Choice(unit, RecipeKeys.Units) == "paragraph" ? TextUnit.Paragraph : TextUnit.Document,
            Window = values.Count(map, RecipeKeys.Window, 2),
            Seed = map.Find(RecipeKeys.Seed) is { } seed ? values.Seed(seed) : chosen.Seed,
            Position = text?.Value.Position ?? map.Position,
        };
    }

    private BlockSettings? Blocks(YamlEntry entry)
    {
        if (values.Map(entry.Key, entry.Value, $"keys such as '{RecipeKeys.Steps}: {BlockSettings.DefaultSteps}'") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, RecipeKeys.OfBlocks);
        return new()
        {
            Steps = values.Count(map, RecipeKeys.Steps, 1) ?? BlockSettings.DefaultSteps,
            Time = Time(map),
            LearningRate = LearningRate(map) ?? BlockSettings.DefaultLearningRate,
        };
    }

    private double? LearningRate(YamlMap map) =>
        map.Find(RecipeKeys.LearningRate) is { } rate ? values.PositiveNumber(rate, 1, "a number above 0 and up to 1, such as 0.01") : null;

    private TimeSpan? Time(YamlMap map)
    {
        if (map.Find(RecipeKeys.Time) is not { } entry)
        {
            return null;
        }

        string[] words = (entry.Value as YamlScalar)?.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        double? seconds = words is [_, var unit] ? unit switch { "s" => 1, "min" => 60, "h" => 3600, _ => null } : null;
        if (seconds is null || !double.TryParse(words[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) || !(number > 0 && number < 1e6))
        {
            values.BadValue(entry.Key, entry.Value, Duration);
            return null;
        }

        return TimeSpan.FromSeconds(number * seconds.Value);
    }
}
