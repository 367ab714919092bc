using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Compress.Runtime.Safetensors;

/// <summary>
/// The <c>__metadata__</c> of a header. Values are held in UTF-8 and become strings when they are asked for: the descriptions of a packed
/// model take hundreds of kilobytes, and whoever needs them parses UTF-8.
/// </summary>
internal sealed class HeaderMetadata : IReadOnlyDictionary<string, string>
{
    private readonly Dictionary<string, byte[]> values = new(StringComparer.Ordinal);

    public int Count => values.Count;

    public IEnumerable<string> Keys => values.Keys;

    public IEnumerable<string> Values => values.Values.Select(Encoding.UTF8.GetString);

    public string this[string key] => Encoding.UTF8.GetString(values[key]);

    /// <summary>Adds an entry; false if the key is there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="utf8">The value in valid UTF-8.</param>
    public bool TryAdd(string key, byte[] utf8)
    {
        if (values.ContainsKey(key))
        {
            return false;
        }

        values.Add(key, utf8);
        return true;
    }

    /// <summary>The value in UTF-8, or null.</summary>
    public byte[]? Utf8(string key) => values.TryGetValue(key, out byte[]? utf8) ? utf8 : null;

    public bool ContainsKey(string key) => values.ContainsKey(key);

    public bool TryGetValue(string key, out string value)
    {
        byte[]? utf8 = Utf8(key);
        value = utf8 is null ? null! : Encoding.UTF8.GetString(utf8);
        return utf8 is not null;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() =>
        values.Select(pair => new KeyValuePair<string, string>(pair.Key, Encoding.UTF8.GetString(pair.Value))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
