using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>gate:</c>.</summary>
/// <param name="file">The recipe, whose folder texts are relative to.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class GateReader(string? file, RecipeValues values, RecipeErrors errors)
{
    /// <summary>Reads the limits.</summary>
    public Gate? Read(YamlEntry entry)
    {
        if (values.Map(entry.Key, entry.Value, $"limits such as '{RecipeKeys.RelativeError}: 0.05'") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, RecipeKeys.OfGate);
        var severity = map.Find(RecipeKeys.Severity) is { } choice && values.Choice(choice, RecipeKeys.Severities) == "warning"
            ? Severity.Warning
            : Severity.Error;
        return new(
            map.Find(RecipeKeys.RelativeError) is { } error ? Positive(error, 1, "a number above 0 and up to 1, such as 0.05") : null,
            map.Find(RecipeKeys.Perplexity) is { } perplexity ? Measured(perplexity, RecipeKeys.Increase, Increase) : null,
            map.Find(RecipeKeys.Kl) is { } kl
                ? Measured(kl, RecipeKeys.Max, limit => Positive(limit, double.MaxValue, "a number of nats per token above 0, such as 0.02"))
                : null,
            severity);
    }

    private MeasuredLimit? Measured(YamlEntry entry, string limitKey, Func<YamlEntry, Limit?> readLimit)
    {
        if (values.Map(entry.Key, entry.Value, $"'{RecipeKeys.Text}' and '{limitKey}'") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, [limitKey, .. RecipeKeys.OfEvaluation]);
        var limit = Find(map, limitKey, $"'{entry.Key}' has no '{limitKey}', the limit") is { } value ? readLimit(value) : null;
        var text = Find(map, RecipeKeys.Text, $"'{entry.Key}' has no '{RecipeKeys.Text}', the held-out text that it is measured on");
        string? path = text is null ? null : values.Text(text.Key, text.Value, "the path of a text");
        var settings = new EvaluationSettings(path is null ? "" : RecipeText.Absolute(path, file))
        {
            Unit = map.Find(RecipeKeys.Unit) is { } unit && values.Choice(unit, RecipeKeys.Units) == "paragraph" ? TextUnit.Paragraph : TextUnit.Document,
            Window = values.Count(map, RecipeKeys.Window, 2),
            Stride = values.Count(map, RecipeKeys.Stride, 1),
            Limit = values.Count(map, RecipeKeys.Limit, 1),
            Bos = map.Find(RecipeKeys.Bos) is not { } bos || values.Bool(bos) != false,
            Position = text?.Value.Position ?? map.Position,
        };
        return limit is null || path is null ? null : new(limit, settings);
    }

    private Limit? Increase(YamlEntry entry) =>
        values.Part(entry, double.MaxValue, "a part of the source's perplexity, such as 2% or 0.02") is { } part ? new(part, entry.Value.Position) : null;

    private Limit? Positive(YamlEntry entry, double max, string expected) =>
        values.PositiveNumber(entry, max, expected) is { } value ? new(value, entry.Value.Position) : null;

    private YamlEntry? Find(YamlMap map, string key, string missing)
    {
        var entry = map.Find(key);
        if (entry is null)
        {
            errors.Add(Codes.RecipeMissingKey, map.Position, missing);
        }

        return entry;
    }
}
