using System.Globalization;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Recipes.Yaml;

namespace Compress.Core.Recipes;

/// <summary>Reads typed values of a recipe; each mistake becomes one error at the value's place, and null.</summary>
internal sealed class RecipeValues(RecipeErrors errors)
{
    /// <summary>A list's items; no value at all is an empty list.</summary>
    public IReadOnlyList<YamlNode> List(YamlEntry entry, string expected)
    {
        switch (entry.Value)
        {
            case YamlList list:
                return list.Items;
            case YamlScalar { IsNull: true }:
                return [];
            default:
                WrongType(entry.Key, entry.Value, expected);
                return [];
        }
    }

    /// <summary>The keys and values of a map.</summary>
    public YamlMap? Map(string key, YamlNode node, string expected)
    {
        if (node is not YamlMap)
        {
            WrongType(key, node, expected);
        }

        return node as YamlMap;
    }

    /// <summary>An integer within bounds.</summary>
    public Int128? Integer(YamlEntry entry, Int128 min, Int128 max, string expected)
    {
        if (entry.Value is not YamlScalar scalar || !YamlScalars.TryInteger(scalar, out var value))
        {
            WrongType(entry.Key, entry.Value, expected);
            return null;
        }

        if (value < min || value > max)
        {
            BadValue(entry.Key, entry.Value, expected);
            return null;
        }

        return value;
    }

    /// <summary>An integer of at least so much, if there is one of that key.</summary>
    public int? Count(YamlMap map, string key, int least) => map.Find(key) is { } entry
        ? (int?)Integer(entry, least, int.MaxValue, string.Create(CultureInfo.InvariantCulture, $"an integer of at least {least}"))
        : null;

    /// <summary>A seed of random numbers; 0 if it is wrong.</summary>
    public ulong Seed(YamlEntry entry) =>
        (ulong)(Integer(entry, 0, ulong.MaxValue, string.Create(CultureInfo.InvariantCulture, $"an integer from 0 to {ulong.MaxValue}")) ?? 0);

    /// <summary>An error for each key that is none of these.</summary>
    public void RefuseOthers(YamlMap map, string[] known)
    {
        foreach (var unknown in map.Entries.Where(entry => !known.Contains(entry.Key)))
        {
            errors.Add(Codes.RecipeUnknownKey, unknown.Position, TreatmentReader.UnknownKeyMessage(unknown.Key, known));
        }
    }

    /// <summary>A number above zero and up to a bound.</summary>
    public double? PositiveNumber(YamlEntry entry, double max, string expected)
    {
        if (entry.Value is not YamlScalar scalar || !YamlScalars.TryNumber(scalar, out double value))
        {
            WrongType(entry.Key, entry.Value, expected);
            return null;
        }

        if (!(value > 0 && value <= max))
        {
            BadValue(entry.Key, entry.Value, expected);
            return null;
        }

        return value;
    }

    /// <summary>A part of something above zero and up to a bound: <c>2%</c> or <c>0.02</c>.</summary>
    public double? Part(YamlEntry entry, double max, string expected) =>
        entry.Value is YamlScalar { Text: [.. var digits, '%'] }
        && double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) && percent > 0 && percent / 100 <= max
            ? percent / 100
            : PositiveNumber(entry, max, expected);

    /// <summary>True or false.</summary>
    public bool? Bool(YamlEntry entry)
    {
        if (entry.Value is YamlScalar scalar && YamlScalars.TryBool(scalar, out bool value))
        {
            return value;
        }

        WrongType(entry.Key, entry.Value, "true or false");
        return null;
    }

    /// <summary>A text.</summary>
    public string? Text(string key, YamlNode node, string expected)
    {
        if (node is YamlScalar scalar && YamlScalars.IsText(scalar))
        {
            return scalar.Text;
        }

        WrongType(key, node, expected);
        return null;
    }

    /// <summary>One of a few words.</summary>
    public string? Choice(YamlEntry entry, IEnumerable<string> choices)
    {
        string expected = "one of " + string.Join(", ", choices);
        string? text = Text(entry.Key, entry.Value, expected);
        if (text is null || choices.Contains(text, StringComparer.Ordinal))
        {
            return text;
        }

        BadValue(entry.Key, entry.Value, expected + NearestName.Hint(text, choices));
        return null;
    }

    /// <summary>A method's setting: an <see cref="int"/>, <see cref="double"/>, <see cref="bool"/> or <see cref="string"/>, as the setting's default is.</summary>
    public object? Setting(Setting setting, YamlEntry entry) => setting.Default switch
    {
        int => Integer(entry, setting.Min, setting.Max, Expected(setting)) is { } value ? (int)value : null,
        double => Number(entry, setting.Min, setting.Max),
        bool => Bool(entry),
        _ when setting.Choices is { } choices => Choice(entry, choices),
        _ => Text(entry.Key, entry.Value, "a text"),
    };

    private double? Number(YamlEntry entry, int min, int max)
    {
        string expected = string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}");
        if (PositiveNumber(entry, max, expected) is not { } value)
        {
            return null;
        }

        if (value < min)
        {
            BadValue(entry.Key, entry.Value, expected);
            return null;
        }

        return value;
    }

    /// <summary>The value is of another type than expected.</summary>
    public void WrongType(string key, YamlNode node, string expected)
    {
        if (node is YamlUnusable)
        {
            return;
        }

        bool onlyQuoted = node is YamlScalar { Quoted: true, Text: var text } && YamlScalars.IsNumberOrBool(text);
        errors.Add(Codes.RecipeWrongType, node.Position, Message(key, node, expected) + (onlyQuoted ? "; remove the quotes" : ""));
    }

    /// <summary>The value is of the right type, but not allowed.</summary>
    public void BadValue(string key, YamlNode node, string expected) =>
        errors.Add(Codes.RecipeBadValue, node.Position, Message(key, node, expected));

    private static string Message(string key, YamlNode node, string expected) =>
        $"'{key}': found {node.Found}, expected {expected}";

    private static string Expected(Setting setting) => setting.Max == int.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"an integer of at least {setting.Min}")
        : string.Create(CultureInfo.InvariantCulture, $"an integer from {setting.Min} to {setting.Max}");
}
