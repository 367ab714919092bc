using System;
using System.Collections.Generic;
using System.Globalization;

namespace Compress.Tasks.Loader;

/// <summary>The names of one class's members: each is given once.</summary>
internal sealed class NameScope
{
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> lastNumber = new(StringComparer.Ordinal);
    private readonly HashSet<string> reserved;

    /// <param name="reserved">Names that the class has of its own: a wish for one gets an underscore after it.</param>
    public NameScope(params string[] reserved) => this.reserved = new(reserved, StringComparer.Ordinal);

    /// <summary>
    /// One identifier for each text, in their order. Where several want the same, the first gets it and the others a number that
    /// none wants: so a name changes only if a sibling that looks like it comes or goes.
    /// </summary>
    public string[] Take(IReadOnlyList<string> texts)
    {
        string[] names = new string[texts.Count];
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = CSharpText.Identifier(texts[i]);
            names[i] += reserved.Contains(names[i]) ? "_" : "";
            wanted.Add(names[i]);
        }

        for (int i = 0; i < names.Length; i++)
        {
            names[i] = Take(names[i], wanted);
        }

        return names;
    }

    /// <summary>The name if it is free, else with a number after it.</summary>
    public string Take(string name) => Take(reserved.Contains(name) ? name + "_" : name, []);

    private string Take(string name, HashSet<string> wanted)
    {
        string free = name;
        while (reserved.Contains(free) || (free != name && wanted.Contains(free)) || !taken.Add(free))
        {
            lastNumber.TryGetValue(name, out int number);
            lastNumber[name] = number = Math.Max(number, 1) + 1;
            free = name + number.ToString(CultureInfo.InvariantCulture);
        }

        return free;
    }
}
