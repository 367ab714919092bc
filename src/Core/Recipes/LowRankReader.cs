using System.Globalization;
using Compress.Core.Codecs;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>lowrank:</c>.</summary>
/// <param name="file">The recipe, for messages.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class LowRankReader(string? file, RecipeValues values, RecipeErrors errors)
{
    /// <summary>Reads how a matrix is factored; null after an error.</summary>
    public LowRankSettings? Read(YamlEntry entry)
    {
        int before = errors.Count;
        if (values.Map(entry.Key, entry.Value, "a rank and more, such as { rank: 32 }") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, RecipeKeys.OfLowRank);
        var given = RecipeKeys.OfRank.Where(key => map.Find(key) is not null).ToList();
        if (given.Count != 1)
        {
            errors.Add(given.Count == 0 ? Codes.RecipeMissingKey : Codes.RecipeConflict, map.Position, string.Create(CultureInfo.InvariantCulture,
                $"'{entry.Key}' has {(given.Count == 0 ? "no rank" : string.Join(" and ", given))}; give one of {string.Join(", ", RecipeKeys.OfRank)}"));
        }

        var settings = new LowRankSettings(
            values.Count(map, RecipeKeys.Rank, 1),
            map.Find(RecipeKeys.Energy) is { } energy ? values.Part(energy, 1, "a part of the energy above 0 and up to 1, such as 95% or 0.95") : null,
            map.Find(RecipeKeys.Bits) is { } bits ? values.PositiveNumber(bits, 64, "bits per weight, above 0 and up to 64") : null,
            map.Find(RecipeKeys.By) is { } by && values.Choice(by, RecipeKeys.Factorizations) == "whitened",
            map.Find(RecipeKeys.Of) is { } of && values.Choice(of, RecipeKeys.Factored) == "residual",
            file,
            entry.Position);
        return errors.Count == before ? settings : null;
    }

    /// <summary>What packs the factors where they are kept; null after an error.</summary>
    /// <param name="keep">The recipe's 'keep'.</param>
    /// <param name="treatment">What it means alone.</param>
    /// <param name="lowRank">The factorization.</param>
    public ICodec? Kept(YamlEntry keep, Treatment.Keep treatment, LowRankSettings lowRank)
    {
        if (lowRank.OfResidual)
        {
            errors.Add(Codes.RecipeConflict, keep.Position, "'keep' leaves no residual for 'lowrank' to correct; name a method instead, or leave out 'of: residual'");
            return null;
        }

        if (treatment.As is not { } type)
        {
            errors.Add(Codes.RecipeConflict, keep.Position, "factors are not in the source; keep them as float16, bfloat16 or float32");
            return null;
        }

        return new LowRankCodec(lowRank, new KeptElements(type));
    }
}
