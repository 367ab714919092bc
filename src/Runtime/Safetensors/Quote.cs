using System;
using System.Collections.Generic;
using System.Text;

namespace Compress.Runtime.Safetensors;

/// <summary>Writes what a file says into a message: short, on one line, whatever it is.</summary>
internal static class Quote
{
    private const int Longest = 200;

    /// <summary>A name in quotes; control characters become question marks, and a long name is cut.</summary>
    public static string Name(string name)
    {
        var text = new StringBuilder("'");
        foreach (char c in name.Length <= Longest ? name : name.Substring(0, Longest))
        {
            text.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c);
        }

        return text.Append(name.Length <= Longest ? "'" : "…'").ToString();
    }

    /// <summary>A JSON number as written.</summary>
    public static string Number(ReadOnlySpan<byte> digits) =>
        Encoding.ASCII.GetString(digits.Slice(0, Math.Min(digits.Length, 40)).ToArray()) + (digits.Length > 40 ? "…" : "");

    /// <summary>A shape as the file writes it: <c>[2, 3]</c>.</summary>
    public static string Shape(IEnumerable<long> shape) => "[" + string.Join(", ", shape) + "]";
}
