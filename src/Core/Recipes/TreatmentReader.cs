using Compress.Core.Codecs;
using Compress.Core.Codecs.LowRank;
using Compress.Core.Codecs.Sparse;
using Compress.Core.Diagnostics;
using Compress.Core.Pruning;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>A method and the settings given to it, each with its place. The method is null where the recipe's was unusable.</summary>
/// <param name="Codec">The method.</param>
/// <param name="Given">The settings given to it.</param>
/// <param name="Limits">Of what a budget may choose.</param>
internal sealed record MethodChoice(ICodec? Codec, IReadOnlyDictionary<string, GivenSetting> Given, ChoiceLimits Limits = default)
{
    /// <summary>How matrices are factored before the method packs them, if they are.</summary>
    public LowRankSettings? LowRank { get; init; }

    /// <summary>Which weights become zero before the method packs the others, if any do.</summary>
    public PruneSettings? Prune { get; init; }

    /// <summary>The method with what is done before it.</summary>
    public ICodec Packer => LowRank is { } lowRank ? new LowRankCodec(lowRank, Codec!) : Prune is { } prune ? new PruneCodec(prune, Codec!) : Codec!;
}

/// <summary>A setting's value and the place of its key.</summary>
internal readonly record struct GivenSetting(object Value, Position Position);

/// <summary>
/// Reads what is to be done with tensors: <c>method</c> with its settings beside it, or settings alone, or <c>keep</c>. The whole recipe,
/// each of its rules, and each option that a budget may choose say so in the same words.
/// </summary>
internal sealed class TreatmentReader
{
    private readonly IReadOnlyList<ICodec> codecs;
    private readonly ulong seed;
    private readonly bool hasBudget;
    private readonly RecipeErrors errors;
    private readonly RecipeValues values;
    private readonly OptionReader options;
    private readonly LowRankReader lowRanks;
    private readonly PruneReader prunings;

    /// <param name="codecs">All methods, the default first.</param>
    /// <param name="seed">Of all random numbers.</param>
    /// <param name="file">The recipe, for messages that come later.</param>
    /// <param name="hasBudget">True if the recipe has a budget: layers then have a choice of widths.</param>
    /// <param name="errors">Receives what is wrong.</param>
    public TreatmentReader(IReadOnlyList<ICodec> codecs, ulong seed, string? file, bool hasBudget, RecipeErrors errors)
    {
        (this.codecs, this.seed, this.hasBudget, this.errors, values) = (codecs, seed, hasBudget, errors, new(errors));
        options = new(seed, hasBudget, values, errors);
        lowRanks = new(file, values, errors);
        prunings = new(file, codecs, values, errors);
    }

    /// <summary>The first codec with no settings given: what an empty recipe says.</summary>
    public MethodChoice DefaultChoice => new(codecs[0], new Dictionary<string, GivenSetting>());

    /// <summary>Reads the keys of a map that say what is to be done; reports all keys that mean nothing.</summary>
    /// <param name="map">The recipe, or one rule.</param>
    /// <param name="keys">The keys of the grammar that the map may have; those that are no treatment are left to the caller.</param>
    /// <param name="inherited">Method and settings where the map names no method.</param>
    /// <returns>The treatment, null after an error; and the choice that rules inherit.</returns>
    public (Treatment? Treatment, MethodChoice Choice) Read(YamlMap map, string[] keys, MethodChoice inherited)
    {
        int errorsBefore = errors.Count;
        var keep = map.Find(RecipeKeys.Keep);
        var method = map.Find(RecipeKeys.Method);
        var choice = method is null ? inherited : new MethodChoice(Method(method), new Dictionary<string, GivenSetting>());
        choice = Settings(map, keys, choice, keep is not null);
        bool isRecipe = keys == RecipeKeys.OfRecipe;
        var choose = map.Find(RecipeKeys.Choose);
        var fixedBits = isRecipe && choose is null ? null : map.Entries.FirstOrDefault(entry => choice.Codec is { } codec && Find(codec, entry.Key) is { GivesBits: true });
        options.CheckPlace(map, keep ?? fixedBits);
        choice = choice with { Limits = options.Limits(map, choice.Limits) };
        var (factored, pruned) = (map.Find(RecipeKeys.LowRank), map.Find(RecipeKeys.Prune));
        choice = choice with
        {
            LowRank = factored is not null ? lowRanks.Read(factored) : pruned is null ? choice.LowRank : null,
            Prune = pruned is not null ? prunings.Read(pruned) : factored is null ? choice.Prune : null,
        };
        prunings.CheckPlace(pruned, factored, keep is null ? choice : choice with { Codec = null });
        if (keep is not null)
        {
            if (method is not null)
            {
                var later = method.Position.Line > keep.Position.Line ? method : keep;
                errors.Add(Codes.RecipeConflict, later.Position, "'method' compresses and 'keep' does not; remove one of them");
            }

            var kept = Keep(keep);
            return (kept is null || (factored ?? pruned) is null ? kept : KeptIn(keep, kept, choice, map), choice);
        }

        if (errors.Count > errorsBefore || choice.Codec is null)
        {
            return (null, choice);
        }

        var treatment = choose is not null ? Choose(choose, choice) : hasBudget && fixedBits is null ? AnyWidth(choice, map, isOption: keys == RecipeKeys.OfOption) : Configure(choice, map);
        return (treatment, choice);
    }

    // Each option says what a rule says; what it does not say is as beside 'choose'.
    private Treatment.Choose? Choose(YamlEntry entry, MethodChoice choice)
    {
        int errorsBefore = errors.Count;
        const string Expected = "a list of options, such as '- method: uniform' or '- keep: source'";
        var found = new List<Treatment>();
        foreach (var item in values.List(entry, Expected))
        {
            if (values.Map(entry.Key, item, "an option, such as 'method: uniform' or 'keep: source'") is not { } map)
            {
                continue;
            }

            if (map.Entries.Count == 0)
            {
                errors.Add(Codes.RecipeMissingKey, map.Position, "the option does not say what to do; add 'method', a setting such as 'bits', or 'keep'");
            }

            switch (Read(map, RecipeKeys.OfOption, choice).Treatment)
            {
                case Treatment.Choose widths:
                    found.AddRange(widths.Options);
                    break;
                case { } one:
                    found.Add(one);
                    break;
            }
        }

        if (found.Count == 0 && errors.Count == errorsBefore)
        {
            values.BadValue(entry.Key, entry.Value, Expected);
        }

        return errors.Count == errorsBefore ? new(found, choice.Limits.Group, entry.Position) : null;
    }

    private Treatment? AnyWidth(MethodChoice choice, YamlMap map, bool isOption)
    {
        if (Configure(choice, map) is not { } asGiven)
        {
            return null;
        }

        if (!isOption && asGiven.Encoder is IGroupEncoder { ComparesLayers: true })
        {
            if (choice.Limits != default)
            {
                errors.Add(Codes.RecipeConflict, map.Position,
                    $"'{RecipeKeys.MinBits}', '{RecipeKeys.MaxBits}' and '{RecipeKeys.Group}' are for layers that get one width each, and these settings of {choice.Codec!.Name} give each group "
                    + "of weights its own; remove them");
            }

            return asGiven with { SharesBits = true };
        }

        return options.Widths(choice, map) is { Count: > 0 } widths ? new Treatment.Choose(widths, choice.Limits.Group, map.Position) : asGiven;
    }

    private ICodec? Method(YamlEntry entry)
    {
        string expected = "a method: one of " + string.Join(", ", codecs.Select(codec => codec.Name));
        if (values.Text(entry.Key, entry.Value, expected) is not { } name)
        {
            return null;
        }

        if (codecs.FirstOrDefault(codec => codec.Name == name) is { } found)
        {
            return found;
        }

        string hint = name == RecipeKeys.Keep
            ? "; to store tensors uncompressed, write 'keep: source' instead"
            : NearestName.Hint(name, codecs.Select(codec => codec.Name));
        errors.Add(Codes.RecipeUnknownMethod, entry.Value.Position, $"unknown method {entry.Value.Found}, expected {expected}{hint}");
        return null;
    }

    private MethodChoice Settings(YamlMap map, string[] keys, MethodChoice choice, bool kept)
    {
        var given = new Dictionary<string, GivenSetting>(choice.Given);
        foreach (var entry in map.Entries.Where(entry => !keys.Contains(entry.Key)))
        {
            var owner = codecs.FirstOrDefault(codec => Find(codec, entry.Key) is not null);
            if (owner is null)
            {
                UnknownKey(entry, keys, choice.Codec);
            }
            else if (kept)
            {
                errors.Add(Codes.RecipeConflict, entry.Position, $"'{entry.Key}' is a setting of a method, and 'keep' uses none; remove one of them");
            }
            else if (choice.Codec is { } codec)
            {
                if (Find(codec, entry.Key) is not { } setting)
                {
                    NotOfMethod(entry, codec, owner);
                }
                else if (values.Setting(setting, entry) is { } value)
                {
                    given[entry.Key] = new(value, entry.Position);
                }
            }
        }

        return choice with { Given = given };
    }

    private void UnknownKey(YamlEntry entry, string[] keys, ICodec? codec)
    {
        var settings = codec is null ? codecs.SelectMany(c => c.Settings) : codec.Settings;
        string[] valid = [.. keys, .. settings.Select(setting => setting.Name).Distinct()];
        errors.Add(Codes.RecipeUnknownKey, entry.Position, UnknownKeyMessage(entry.Key, valid));
    }

    /// <summary>The message for a key that nothing here has.</summary>
    public static string UnknownKeyMessage(string key, string[] valid) =>
        $"unknown key '{YamlScalar.Excerpt(key)}', expected one of {string.Join(", ", valid)}{NearestName.Hint(key, valid)}";

    private void NotOfMethod(YamlEntry entry, ICodec codec, ICodec owner)
    {
        string has = codec.Settings.Count == 0 ? "it has none" : "it has " + string.Join(", ", codec.Settings.Select(setting => setting.Name));
        errors.Add(Codes.RecipeSettingNotOfMethod, entry.Position, $"method {codec.Name} has no setting '{entry.Key}' ({owner.Name} has); {has}");
    }

    private Treatment.Keep? Keep(YamlEntry entry)
    {
        string? word = values.Choice(entry, RecipeKeys.KeepTypes.Select(type => type.Key));
        return word is null ? null : new(RecipeKeys.KeepTypes.First(type => type.Key == word).Value, entry.Position);
    }

    // What a stage makes of a matrix, kept in a float type.
    private Treatment.Compress? KeptIn(YamlEntry keep, Treatment.Keep treatment, MethodChoice choice, YamlMap map)
    {
        var codec = choice.LowRank is { } lowRank ? lowRanks.Kept(keep, treatment, lowRank) : choice.Prune is { } prune ? prunings.Kept(keep, treatment, prune) : null;
        return codec is null ? null : new(codec, codec.Configure(new([], new Dictionary<string, object>()), seed), map.Position);
    }

    private Treatment.Compress? Configure(MethodChoice choice, YamlMap map)
    {
        var codec = choice.Packer;
        var given = choice.Given.ToDictionary(setting => setting.Key, setting => setting.Value.Value);
        try
        {
            var encoder = codec.Configure(new SettingValues(codec.Settings, given), seed);
            return new(codec, encoder, map.Position);
        }
        catch (SettingException e)
        {
            bool isInherited = map.Find(e.Setting) is null && choice.Given.ContainsKey(e.Setting);
            string origin = isInherited
                ? $" ('{e.Setting}' is from line {choice.Given[e.Setting].Position.Line}; a rule that names its method starts from that method's defaults)"
                : "";
            errors.Add(Codes.RecipeConflict, map.Find(e.Setting)?.Position ?? map.Position, $"'{e.Setting}': {e.Message}{origin}");
            return null;
        }
    }

    private static Setting? Find(ICodec codec, string name) => codec.Settings.FirstOrDefault(setting => setting.Name == name);
}
