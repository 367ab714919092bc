using System.Globalization;
using System.Text.RegularExpressions;

namespace Compress.Core.Recipes.Yaml;

/// <summary>What plain scalars mean: the core schema of YAML 1.2 (§10.3.2). So <c>yes</c> and <c>on</c> are texts, and <c>010</c> is ten.</summary>
internal static partial class YamlScalars
{
    /// <summary>An integer: decimal, <c>0o17</c> or <c>0xFF</c>. Past ±2^64 it saturates there or further out.</summary>
    public static bool TryInteger(YamlScalar scalar, out Int128 value)
    {
        value = 0;
        if (scalar.Quoted || !IntegerPattern().IsMatch(scalar.Text))
        {
            return false;
        }

        bool negative = scalar.Text[0] == '-';
        var digits = scalar.Text.AsSpan().TrimStart("+-");
        int radix = digits is ['0', 'x', ..] ? 16 : digits is ['0', 'o', ..] ? 8 : 10;
        Int128 limit = (Int128)ulong.MaxValue + 1;
        foreach (char digit in radix == 10 ? digits : digits[2..])
        {
            value = Int128.Min((value * radix) + Convert.ToInt32(digit.ToString(), 16), limit);
        }

        value = negative ? -value : value;
        return true;
    }

    /// <summary>A finite number, integers included.</summary>
    public static bool TryNumber(YamlScalar scalar, out double value)
    {
        value = 0;
        if (TryInteger(scalar, out var integer))
        {
            value = (double)integer;
            return true;
        }

        return !scalar.Quoted && FloatPattern().IsMatch(scalar.Text)
            && double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    /// <summary>True or false.</summary>
    public static bool TryBool(YamlScalar scalar, out bool value)
    {
        value = !scalar.Quoted && scalar.Text is "true" or "True" or "TRUE";
        return value || (!scalar.Quoted && scalar.Text is "false" or "False" or "FALSE");
    }

    /// <summary>A text: quoted, or plain and nothing else.</summary>
    public static bool IsText(YamlScalar scalar) => scalar.Quoted || !(scalar.IsNull || IsNumberOrBool(scalar.Text));

    /// <summary>True if the plain scalar is a number (infinities and NaN included) or a bool.</summary>
    public static bool IsNumberOrBool(string plain) =>
        plain is "true" or "True" or "TRUE" or "false" or "False" or "FALSE"
        || IntegerPattern().IsMatch(plain) || FloatPattern().IsMatch(plain) || SpecialPattern().IsMatch(plain);

    [GeneratedRegex(@"\A(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\z")]
    private static partial Regex IntegerPattern();

    [GeneratedRegex(@"\A[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\z")]
    private static partial Regex FloatPattern();

    [GeneratedRegex(@"\A(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\z")]
    private static partial Regex SpecialPattern();
}
