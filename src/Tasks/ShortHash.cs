using System.Globalization;

namespace Compress.Tasks;

/// <summary>Eight hexadecimal digits for a text: FNV-1a. Names folders and files; a cryptographic hash would take longer to load than all else.</summary>
internal static class ShortHash
{
    /// <summary>The hash of the text's UTF-16 code units.</summary>
    public static string Of(string text) => Text(Value(text));

    /// <summary>The digits of a hash.</summary>
    public static string Text(uint hash) => hash.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>The hash as a number.</summary>
    public static uint Value(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
        {
            hash = unchecked((hash ^ (byte)c) * 16777619);
            hash = unchecked((hash ^ (byte)(c >> 8)) * 16777619);
        }

        return hash;
    }
}
