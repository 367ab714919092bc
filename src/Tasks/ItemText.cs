using System;
using System.Globalization;
using System.Text;

namespace Compress.Tasks;

/// <summary>Text as MSBuild items take it.</summary>
internal static class ItemText
{
    private static readonly char[] Special = ['%', '*', '?', '@', '$', '(', ')', ';', '\''];

    /// <summary>Escapes what means something to MSBuild; a path may hold any of these characters.</summary>
    public static string Escape(string text)
    {
        if (text.IndexOfAny(Special) < 0)
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            result.Append(Array.IndexOf(Special, c) < 0 ? c.ToString() : "%" + ((int)c).ToString("X2", CultureInfo.InvariantCulture));
        }

        return result.ToString();
    }
}
