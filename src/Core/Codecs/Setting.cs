namespace Compress.Core.Codecs;

/// <summary>One setting of a method in a recipe, declared once: the parser, the JSON schema and the docs follow it.</summary>
/// <param name="Name">The key in the recipe, camelCase.</param>
/// <param name="Description">One line.</param>
/// <param name="Default">Its value where the recipe is silent: <see cref="int"/>, <see cref="double"/>, <see cref="bool"/> or <see cref="string"/>, the setting's type.</param>
/// <param name="Min">The least number allowed.</param>
/// <param name="Max">The greatest number allowed.</param>
/// <param name="Choices">The texts allowed.</param>
/// <param name="GivesBits">True if it says how many bits a weight takes: <c>bits</c>, which budgets vary, and whatever overrides it.</param>
public sealed record Setting(
    string Name, string Description, object Default, int Min = 0, int Max = int.MaxValue, IReadOnlyList<string>? Choices = null, bool GivesBits = false);

/// <summary>The values of all of a method's settings, and which of them the recipe gave.</summary>
public sealed class SettingValues
{
    private readonly Dictionary<string, object> given;
    private readonly Dictionary<string, object> values;

    /// <param name="settings">What the method declares.</param>
    /// <param name="given">What the recipe says; types and bounds have been checked.</param>
    public SettingValues(IReadOnlyList<Setting> settings, IReadOnlyDictionary<string, object> given)
    {
        this.given = new(given, StringComparer.Ordinal);
        values = settings.ToDictionary(s => s.Name, s => given.TryGetValue(s.Name, out object? value) ? value : s.Default, StringComparer.Ordinal);
    }

    /// <summary>An integer setting.</summary>
    public int Int(string name) => (int)values[name];

    /// <summary>A number setting, whole or not.</summary>
    public double Number(string name) => Convert.ToDouble(values[name], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A boolean setting.</summary>
    public bool Bool(string name) => (bool)values[name];

    /// <summary>A text setting.</summary>
    public string Text(string name) => (string)values[name];

    /// <summary>True if the recipe gave it, false if the value is the default.</summary>
    public bool IsGiven(string name) => given.ContainsKey(name);
}

/// <summary>Settings that are well-formed each but do not go together, or a value that only the method can judge.</summary>
/// <param name="setting">The setting at fault: the message is shown at its place in the recipe.</param>
/// <param name="message">What was found, what is allowed.</param>
public sealed class SettingException(string setting, string message) : Exception(message)
{
    /// <summary>The setting at fault.</summary>
    public string Setting { get; } = setting;
}
