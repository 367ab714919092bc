using System.Globalization;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>How many bits a budget may give a layer, and what shares its choice; null where the recipe is silent.</summary>
internal readonly record struct ChoiceLimits(int? Min, int? Max, LayerGroup? Group)
{
    /// <summary>True if a number of bits is within bounds.</summary>
    public bool Allow(double bits) => !(bits < Min) && !(bits > Max);
}

/// <summary>Reads what a budget may choose from: <c>choose</c>, <c>minBits</c>, <c>maxBits</c> and <c>group</c>.</summary>
/// <param name="seed">Of all random numbers.</param>
/// <param name="hasBudget">True if the recipe has a budget.</param>
/// <param name="values">Reads values.</param>
/// <param name="errors">Receives what is wrong.</param>
internal sealed class OptionReader(ulong seed, bool hasBudget, RecipeValues values, RecipeErrors errors)
{
    /// <summary>Reports keys that have no meaning here: without a budget, or beside a key that leaves nothing to choose.</summary>
    /// <param name="map">The recipe, a rule, or an option.</param>
    /// <param name="only">What leaves nothing to choose, or null.</param>
    public void CheckPlace(YamlMap map, YamlEntry? only)
    {
        foreach (var entry in map.Entries.Where(entry => RecipeKeys.OfChoice.Contains(entry.Key)))
        {
            if (!hasBudget)
            {
                errors.Add(Codes.RecipeConflict, entry.Position, $"'{entry.Key}' is for budgets, and the recipe has none; add 'budget', or remove it");
            }
            else if (only is not null)
            {
                var later = only.Position.Line > entry.Position.Line ? only : entry;
                errors.Add(Codes.RecipeConflict, later.Position, $"'{only.Key}' leaves nothing to choose for '{entry.Key}'; remove one of them");
            }
        }
    }

    /// <summary>Reads the limits of a map.</summary>
    /// <param name="map">The recipe, a rule, or an option.</param>
    /// <param name="inherited">Where the map says nothing.</param>
    public ChoiceLimits Limits(YamlMap map, ChoiceLimits inherited)
    {
        var (min, max) = (Bits(map, RecipeKeys.MinBits) ?? inherited.Min, Bits(map, RecipeKeys.MaxBits) ?? inherited.Max);
        if (min > max && (map.Find(RecipeKeys.MaxBits) ?? map.Find(RecipeKeys.MinBits)) is { } entry)
        {
            errors.Add(Codes.RecipeConflict, entry.Position, string.Create(CultureInfo.InvariantCulture, $"minBits is {min} and maxBits {max}: no number of bits is within"));
        }

        return new(min, max, Group(map) ?? inherited.Group);
    }

    /// <summary>The method with each number of bits that goes together with the other settings and is within the limits.</summary>
    /// <param name="choice">The method and its settings.</param>
    /// <param name="map">Where they stand.</param>
    /// <returns>None if the method has no widths, or after an error.</returns>
    public IReadOnlyList<Treatment> Widths(MethodChoice choice, YamlMap map)
    {
        var codec = choice.Codec!;
        if (codec.Settings.FirstOrDefault(setting => setting is { Name: RecipeKeys.Bits, GivesBits: true }) is not { } bits)
        {
            return [];
        }

        var limits = choice.Limits;
        var widths = Values(bits).Where(limits.Allow)
            .Select(width => Encoder(choice, width)).OfType<ILayerEncoder>()
            .Select(encoder => (Treatment)new Treatment.Compress(choice.Packer, encoder, map.Position)).ToList();
        if (widths.Count == 0 && errors.Count == 0)
        {
            var place = map.Find(RecipeKeys.MinBits) ?? map.Find(RecipeKeys.MaxBits);
            errors.Add(Codes.RecipeConflict, place?.Position ?? map.Position, string.Create(CultureInfo.InvariantCulture,
                $"method {codec.Name} has no width within minBits {limits.Min ?? bits.Min} and maxBits {limits.Max ?? bits.Max} that goes together with its other settings"));
        }

        return widths;
    }

    // Where any number is possible, halves: finer steps gain less than they take to encode and measure.
    private static IEnumerable<double> Values(Setting bits) => bits.Default is double
        ? Enumerable.Range(2 * bits.Min, (2 * (bits.Max - bits.Min)) + 1).Where(half => half > 0).Select(half => half / 2.0)
        : Enumerable.Range(bits.Min, bits.Max - bits.Min + 1).Select(width => (double)width);

    private ILayerEncoder? Encoder(MethodChoice choice, double bits)
    {
        var settings = choice.Codec!.Settings;
        var given = choice.Given.Where(pair => settings.First(setting => setting.Name == pair.Key) is { GivesBits: false }).ToDictionary(pair => pair.Key, pair => pair.Value.Value);
        given[RecipeKeys.Bits] = settings.First(setting => setting.Name == RecipeKeys.Bits).Default is double ? (object)bits : (int)bits;
        try
        {
            return choice.Packer.Configure(new SettingValues(settings, given), seed);
        }
        catch (SettingException)
        {
            return null; // such as 5 bits in two dimensions
        }
    }

    private int? Bits(YamlMap map, string key) => map.Find(key) is { } entry ? (int?)values.Integer(entry, 1, 64, "an integer from 1 to 64") : null;

    private LayerGroup? Group(YamlMap map)
    {
        const string Expected = "the beginning of tensor names up to a dot, such as model.layers.*.mlp";
        if (map.Find(RecipeKeys.Group) is not { } entry || values.Text(entry.Key, entry.Value, Expected) is not { } pattern)
        {
            return null;
        }

        if (pattern.Length is 0 or > RecipeReader.MaxPatternLength || pattern.Split('.').Contains(""))
        {
            values.BadValue(entry.Key, entry.Value, Expected);
            return null;
        }

        return new(pattern, entry.Value.Position);
    }
}
