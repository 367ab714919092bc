using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Compress.Tasks.Loader;

/// <summary>Turns any text into C#: identifiers, string literals, documentation.</summary>
public static class CSharpText
{
    // The compiler allows 1023 characters; readers do not.
    private const int MaxIdentifier = 100;
    private const int MaxDocName = 300;

    // All keywords, and the contextual ones that cannot name a type or a namespace everywhere.
    private static readonly HashSet<string> Keywords = new(
        ("abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit "
        + "extern false finally fixed float for foreach goto if implicit in int interface internal is lock long namespace new null object operator "
        + "out override params private protected public readonly ref return sbyte sealed short sizeof stackalloc static string struct switch this "
        + "throw true try typeof uint ulong unchecked unsafe ushort using virtual void volatile while allows async await dynamic extension field "
        + "file managed nameof nint notnull nuint partial record required scoped unmanaged var when where yield").Split(' '),
        StringComparer.Ordinal);

    /// <summary>
    /// A legal identifier in PascalCase from any text: <c>q_proj</c> gives <c>QProj</c>, <c>1x1-conv</c> gives <c>_1x1Conv</c>.
    /// Text without a letter or digit gives its code points, <c>::</c> is <c>U3AU3A</c>; empty text gives <c>Empty</c>.
    /// </summary>
    public static string Identifier(string text)
    {
        if (text.Length == 0)
        {
            return "Empty";
        }

        var result = new StringBuilder();
        bool startsWord = true;
        foreach (char c in text)
        {
            if (result.Length >= MaxIdentifier)
            {
                break;
            }

            if (!char.IsLetter(c) && !IsDigit(c))
            {
                startsWord = true;
                continue;
            }

            bool digitFirst = IsDigit(c) && (result.Length == 0 || (startsWord && IsDigit(result[result.Length - 1])));
            if (digitFirst)
            {
                result.Append('_'); // keeps 1_2 apart from 12
            }

            result.Append(startsWord ? char.ToUpperInvariant(c) : c);
            startsWord = false;
        }

        return result.Length > 0 ? result.ToString() : CodePoints(text);
    }

    /// <summary>True if the text can name a class as it is, or after <see cref="Escape"/>.</summary>
    public static bool IsIdentifier(string text)
    {
        foreach (char c in text)
        {
            if (c != '_' && !char.IsLetter(c) && !IsDigit(c))
            {
                return false;
            }
        }

        return text.Length is > 0 and <= 500 && !IsDigit(text[0]);
    }

    /// <summary>The identifier, or several with dots between them, with an @ before each keyword.</summary>
    public static string Escape(string dotted) =>
        string.Join(".", dotted.Split('.').Select(part => Keywords.Contains(part) ? "@" + part : part));

    /// <summary>A string literal of printable ASCII.</summary>
    public static string Literal(string text)
    {
        var result = new StringBuilder("\"");
        foreach (char c in text)
        {
            result.Append(Escape(c));
        }

        return result.Append('"').ToString();
    }

    /// <summary>A character literal of printable ASCII.</summary>
    public static string Literal(char c) => "'" + (c == '\'' ? "\\'" : Escape(c)) + "'";

    /// <summary>Text for an XML comment, on one line: marked up, and without characters that XML or the eye cannot take.</summary>
    public static string Doc(string text)
    {
        var result = new StringBuilder();
        foreach (char c in text.Length > MaxDocName ? text.Substring(0, MaxDocName) : text)
        {
            result.Append(c switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                >= ' ' and <= '~' => c.ToString(),
                _ => char.IsLetter(c) ? c.ToString() : Unicode(c),
            });
        }

        return text.Length > MaxDocName ? result + "..." : result.ToString();
    }

    private static string Escape(char c) => c switch
    {
        '"' or '\\' => "\\" + c,
        '\n' => "\\n",
        >= ' ' and <= '~' => c.ToString(),
        _ => Unicode(c),
    };

    private static bool IsDigit(char c) => c is >= '0' and <= '9';

    private static string Unicode(char c) => "\\u" + ((int)c).ToString("X4", CultureInfo.InvariantCulture);

    private static string CodePoints(string text)
    {
        var result = new StringBuilder();
        for (int i = 0; i < text.Length && result.Length < MaxIdentifier; i++)
        {
            bool pair = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]);
            int point = pair ? char.ConvertToUtf32(text[i], text[++i]) : text[i];
            result.Append('U').Append(point.ToString("X", CultureInfo.InvariantCulture));
        }

        return result.ToString();
    }
}
