using System.Buffers;
using System.Globalization;

namespace Compress.Cli.Console;

/// <summary>Numbers as people read them; the same in every culture.</summary>
internal static class Quantity
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");
    private static readonly string[] Units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>Decimal units, three digits: <c>1.04 MB</c>, <c>986 bytes</c>.</summary>
    public static string Bytes(long bytes)
    {
        decimal value = bytes;
        int unit = 0;
        // 999.5 would be shown as 1000 of the smaller unit
        while (value >= (unit == 0 ? 1000 : 999.5m))
        {
            value /= 1000;
            unit++;
        }

        string format = unit == 0 || value >= 99.95m ? "0" : value >= 9.995m ? "0.0" : "0.00";
        string number = value.ToString(format, CultureInfo.InvariantCulture);
        return $"{number} {(bytes == 1 ? "byte" : Units[unit])}";
    }

    /// <summary>With separators of thousands: <c>260,032</c>.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Bits per weight: <c>4.02</c>.</summary>
    public static string Bits(double bitsPerWeight) => bitsPerWeight.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>Three significant digits: <c>0.00931</c>, <c>8.86E-06</c>.</summary>
    public static string Error(double error) => error.ToString("G3", CultureInfo.InvariantCulture);

    /// <summary>How many times smaller: <c>7.81x</c>.</summary>
    public static string Ratio(long source, long packed) =>
        packed == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{(double)source / packed:0.00}x");

    /// <summary><c>850 ms</c>, <c>12.3 s</c>, <c>4 min 5 s</c>.</summary>
    public static string Duration(long milliseconds) => milliseconds switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds} ms"),
        < 60_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.0} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 60_000} min {milliseconds % 60_000 / 1000} s"),
    };

    /// <summary>Dimensions as in the model's header: <c>[172, 64]</c>; a scalar is <c>[]</c>.</summary>
    public static string Shape(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";

    /// <summary>Reads <c>2GB</c>, <c>500 MB</c>, <c>1.5GiB</c> or <c>4096</c> as bytes. False if it is no size or does not fit a long.</summary>
    public static bool TryParseBytes(string text, out long bytes)
    {
        string trimmed = text.Trim();
        int digits = trimmed.AsSpan().IndexOfAnyExcept(NumberCharacters);
        string number = digits < 0 ? trimmed : trimmed[..digits];
        long? unit = (digits < 0 ? "" : trimmed[digits..].Trim().ToUpperInvariant()) switch
        {
            "" or "B" => 1,
            "K" or "KB" => 1_000,
            "M" or "MB" => 1_000_000,
            "G" or "GB" => 1_000_000_000,
            "T" or "TB" => 1_000_000_000_000,
            "KIB" => 1L << 10,
            "MIB" => 1L << 20,
            "GIB" => 1L << 30,
            "TIB" => 1L << 40,
            _ => null,
        };
        bytes = 0;
        if (unit is not { } factor || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            || value > long.MaxValue / factor)
        {
            return false;
        }

        bytes = (long)(value * factor);
        return true;
    }
}
