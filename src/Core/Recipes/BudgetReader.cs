using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>budget:</c>.</summary>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class BudgetReader(RecipeValues values, RecipeErrors errors)
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

        if (bits is not null)
        {
            return values.PositiveNumber(bits, 64, "bits per weight above 0, such as 3.25") is { } average ? new(average, null, bits.Value.Position) : null;
        }

        if (size is not null)
        {
            return Bytes(size) is { } bytes ? new(null, bytes, size.Value.Position) : null;
        }

        if (map.Entries.Count == 0)
        {
            errors.Add(Codes.RecipeMissingKey, map.Position, $"'{entry.Key}' has no '{RecipeKeys.Bits}', the average per weight, and no '{RecipeKeys.Size}', that of the packed file");
        }

        return null;
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
