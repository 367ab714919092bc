using System.Globalization;
using System.Text.RegularExpressions;
using Compress.Core.Codecs;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Codecs.Sparse;
using Compress.Core.Diagnostics;
using Compress.Core.Pruning;
using Compress.Core.Recipes.Yaml;
using Compress.Runtime.Codecs.Sparse;

namespace Compress.Core.Recipes;

/// <summary>Reads <c>prune:</c>.</summary>
/// <param name="file">The recipe, for messages.</param>
/// <param name="codecs">All methods.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed partial class PruneReader(string? file, IReadOnlyList<ICodec> codecs, RecipeValues values, RecipeErrors errors)
{
    /// <summary>Reads which weights become zero; null after an error.</summary>
    public PruneSettings? Read(YamlEntry entry)
    {
        int before = errors.Count;
        if (values.Map(entry.Key, entry.Value, "a sparsity and more, such as { sparsity: 50% }") is not { } map)
        {
            return null;
        }

        values.RefuseOthers(map, RecipeKeys.OfPrune);
        var (sparsity, pattern, scope) = (map.Find(RecipeKeys.Sparsity), map.Find(RecipeKeys.Pattern), map.Find(RecipeKeys.Scope));
        if (sparsity is null == pattern is null)
        {
            errors.Add(sparsity is null ? Codes.RecipeMissingKey : Codes.RecipeConflict, map.Position,
                $"'{entry.Key}' has {(sparsity is null ? "no sparsity" : string.Join(" and ", RecipeKeys.OfSparsity))}; give one of {string.Join(", ", RecipeKeys.OfSparsity)}");
        }

        var by = map.Find(RecipeKeys.By) is { } saliency ? (Saliency)Math.Max(0, Array.IndexOf(RecipeKeys.Saliencies, values.Choice(saliency, RecipeKeys.Saliencies))) : Saliency.Magnitude;
        bool isGlobal = scope is not null && values.Choice(scope, RecipeKeys.Scopes) == "global";
        if (isGlobal && (by != Saliency.Magnitude || pattern is not null))
        {
            errors.Add(Codes.RecipeConflict, scope!.Position,
                $"'{RecipeKeys.Scope}: global' compares weights of all layers, and {(pattern is null ? $"'{RecipeKeys.By}: {RecipeKeys.Saliencies[(int)by]}' those of one output" : $"'{RecipeKeys.Pattern}' neighbours")} only; remove one of them");
        }

        var settings = new PruneSettings(
            sparsity is null ? null : values.Part(sparsity, Math.BitDecrement(1.0), "a part of the weights above 0 and below 1, such as 50% or 0.5"),
            pattern is null ? null : Pattern(pattern),
            by,
            isGlobal,
            file,
            entry.Position);
        return errors.Count == before ? settings : null;
    }

    /// <summary>Reports what 'prune' does not go together with.</summary>
    /// <param name="pruned">The 'prune' that stands there, if one does.</param>
    /// <param name="factored">The 'lowrank' that stands there, if one does.</param>
    /// <param name="choice">What is to be done; without a method where weights are kept.</param>
    public void CheckPlace(YamlEntry? pruned, YamlEntry? factored, MethodChoice choice)
    {
        if (pruned is not null && factored is not null)
        {
            var later = pruned.Position.Line > factored.Position.Line ? pruned : factored;
            errors.Add(Codes.RecipeConflict, later.Position, "the factors of a pruned matrix are not sparse, and the product of pruned factors is not; remove 'prune' or 'lowrank'");
        }
        else if (choice.Prune is { } prune && choice.Codec is { PacksSingleWeights: false } codec)
        {
            errors.Add(Codes.RecipeConflict, prune.Position,
                $"method {codec.Name} packs weights together, so that there is none for single ones to leave out; with 'prune', name {string.Join(" or ", codecs.Where(c => c.PacksSingleWeights).Select(c => c.Name))}, or 'keep: float16'");
        }
    }

    /// <summary>What packs the weights that are not pruned where they are kept; null after an error.</summary>
    public ICodec? Kept(YamlEntry keep, Treatment.Keep treatment, PruneSettings prune)
    {
        if (treatment.As is { } type)
        {
            return new PruneCodec(prune, new KeptElements(type));
        }

        errors.Add(Codes.RecipeConflict, keep.Position, "a pruned matrix is not as in the source; keep its weights as float16, bfloat16 or float32");
        return null;
    }

    private (int Keep, int Of)? Pattern(YamlEntry entry)
    {
        string expected = string.Create(CultureInfo.InvariantCulture, $"how many of how many neighbours are kept, up to {Combinations.MaxOf}, such as 2:4");
        if (values.Text(entry.Key, entry.Value, expected) is not { } text)
        {
            return null;
        }

        if (NOfM().Match(text) is { Success: true } match)
        {
            int keep = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), of = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
            if (keep > 0 && keep < of && of <= Combinations.MaxOf)
            {
                return (keep, of);
            }
        }

        values.BadValue(entry.Key, entry.Value, expected);
        return null;
    }

    [GeneratedRegex("^([0-9]{1,2}):([0-9]{1,2})$", RegexOptions.CultureInvariant)]
    private static partial Regex NOfM();
}
