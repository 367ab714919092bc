using Compress.Core.Allocation;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>budget:</c>.</summary>
/// <param name="calibration">Where the recipe gets statistics from, if it says.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class BudgetReader(StatisticsOrigin? calibration, RecipeValues values, RecipeErrors errors)
{
    /// <summary>Reads the limit.</summary>
    public Budget? Read(YamlEntry entry)
    {
        if (values.Map(entry.Key, entry.Value, $"'{RecipeKeys.Bits}', such as 3.25, or '{RecipeKeys.Size}', such as 9 MB") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, RecipeKeys.OfBudget);
        var (bits, size) = (map.Find(RecipeKeys.Bits), map.Find(RecipeKeys.Size));
        if (bits is not null && size is not null)
        {
            errors.Add(Codes.RecipeConflict, size.Position, $"'{RecipeKeys.Bits}' and '{RecipeKeys.Size}' are two budgets; remove one of them");
            return null;
        }

        var sensitivity = map.Find(RecipeKeys.Sensitivity) is { } costs ? Sensitivity(costs) : new();
        if (bits is not null)
        {
            return values.PositiveNumber(bits, 64, "bits per weight above 0, such as 3.25") is { } average ? new(average, null, sensitivity, bits.Value.Position) : null;
        }

        if (size is not null)
        {
            return Bytes(size) is { } bytes ? new(null, bytes, sensitivity, size.Value.Position) : null;
        }

        if (map.Entries.All(limit => limit.Key == RecipeKeys.Sensitivity))
        {
            errors.Add(Codes.RecipeMissingKey, map.Position, $"'{entry.Key}' has no '{RecipeKeys.Bits}', the average per weight, and no '{RecipeKeys.Size}', that of the packed file");
        }

        return null;
    }

    private SensitivitySettings Sensitivity(YamlEntry entry)
    {
        if (values.Map(entry.Key, entry.Value, $"keys such as '{RecipeKeys.Probe}' and '{RecipeKeys.Metric}'") is not { } map)
        {
            return new();
        }

        values.RefuseOthers(map, RecipeKeys.OfSensitivity);
        var source = map.Find(RecipeKeys.Source);
        string? on = source is null ? null : values.Choice(source, RecipeKeys.Sources);
        var metric = map.Find(RecipeKeys.Metric);
        bool isPerplexity = metric is not null && values.Choice(metric, RecipeKeys.Metrics) == RecipeKeys.Perplexity;
        if (calibration is not StatisticsOrigin.FromText && (isPerplexity ? metric : on == RecipeKeys.Calibration ? source : null) is { } needy)
        {
            errors.Add(Codes.RecipeConflict, needy.Value.Position,
                $"'{needy.Key}: {(needy.Value as YamlScalar)?.Text}' takes a text, and the recipe has none; add 'calibration: {{ text: FILE }}' with a text of the kind that the model is for");
        }
        else if (isPerplexity && on is not null and not RecipeKeys.Calibration)
        {
            errors.Add(Codes.RecipeConflict, source!.Value.Position, "random tokens have no perplexity; remove 'source', or 'metric'");
        }

        return new()
        {
            Probe = map.Find(RecipeKeys.Probe) is { } probe && values.Choice(probe, RecipeKeys.Probes) == "noise" ? ProbeKind.Noise : ProbeKind.Grid,
            Metric = isPerplexity ? SensitivityMetric.Perplexity : SensitivityMetric.Kl,
            OnText = on is null ? null : on == RecipeKeys.Calibration,
            StandardError = map.Find(RecipeKeys.StandardError) is { } error ? values.Part(error, 1, "a part of the cost, such as 5% or 0.05") ?? 0 : SensitivitySettings.DefaultStandardError,
            Tokens = values.Count(map, RecipeKeys.Tokens, 2) ?? SensitivitySettings.DefaultTokens,
            Position = entry.Position,
        };
    }

    private long? Bytes(YamlEntry entry)
    {
        if (entry.Value is YamlScalar scalar && ByteSize.TryParse(scalar.Text, out long bytes) && bytes > 0)
        {
            return bytes;
        }

        values.BadValue(entry.Key, entry.Value, ByteSize.Expected);
        return null;
    }
}
