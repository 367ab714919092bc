using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>A method and the settings given to it, each with its place. The method is null where the recipe's was unusable.</summary>
internal sealed record MethodChoice(ICodec? Codec, IReadOnlyDictionary<string, GivenSetting> Given);

/// <summary>A setting's value and the place of its key.</summary>
internal readonly record struct GivenSetting(object Value, Position Position);

/// <summary>
/// Reads what is to be done with tensors: <c>method</c> with its settings beside it, or settings alone, or <c>keep</c>. The whole recipe
/// and each of its rules say so in the same words.
/// </summary>
internal sealed class TreatmentReader(IReadOnlyList<ICodec> codecs, ulong seed, RecipeErrors errors)
{
    private readonly RecipeValues values = new(errors);

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
        if (keep is not null)
        {
            if (method is not null)
            {
                var later = method.Position.Line > keep.Position.Line ? method : keep;
                errors.Add(Codes.RecipeConflict, later.Position, "'method' compresses and 'keep' does not; remove one of them");
            }

            return (Keep(keep), choice);
        }

        bool usable = errors.Count == errorsBefore && choice.Codec is not null;
        return (usable ? Configure(choice, map) : null, choice);
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

    private Treatment.Compress? Configure(MethodChoice choice, YamlMap map)
    {
        var codec = choice.Codec!;
        var given = choice.Given.ToDictionary(setting => setting.Key, setting => setting.Value.Value);
        try
        {
            var encoder = codec.Configure(new SettingValues(codec.Settings, given), seed);
            bool isFixed = map.Find(RecipeKeys.Match) is not null && codec.Settings.Any(setting => setting.GivesBits && map.Find(setting.Name) is not null);
            return new(codec, encoder, map.Position, new(() => isFixed ? [] : Widths(codec, given, seed)));
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

    // The method with each number of bits that goes together with the other settings.
    private static List<ILayerEncoder> Widths(ICodec codec, Dictionary<string, object> given, ulong seed)
    {
        var widths = new List<ILayerEncoder>();
        if (Find(codec, RecipeKeys.Bits) is { GivesBits: true } bits)
        {
            for (int width = bits.Min; width <= bits.Max; width++)
            {
                var settings = given.Where(setting => Find(codec, setting.Key) is { GivesBits: false }).ToDictionary();
                settings[RecipeKeys.Bits] = width;
                try
                {
                    widths.Add(codec.Configure(new SettingValues(codec.Settings, settings), seed));
                }
                catch (SettingException)
                {
                    // such as 5 bits in two dimensions
                }
            }
        }

        return widths;
    }

    private static Setting? Find(ICodec codec, string name) => codec.Settings.FirstOrDefault(setting => setting.Name == name);
}
