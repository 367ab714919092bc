using System;
using System.Globalization;

namespace Compress.Core.Recipes;

/// <summary>Sizes as people write them: <c>1048576</c>, <c>64 MB</c>, <c>1.5 GiB</c>.</summary>
internal static class ByteSize
{
    // Two plain arrays: this runs in every build, and generics over tuples must be compiled first.
    private static readonly string[] Units = ["KiB", "MiB", "GiB", "TiB", "KB", "MB", "GB", "TB", "B"];
    private static readonly long[] Factors = [1L << 10, 1L << 20, 1L << 30, 1L << 40, 1_000, 1_000_000, 1_000_000_000, 1_000_000_000_000, 1];

    /// <summary>What <see cref="TryParse"/> takes, in words.</summary>
    public const string Expected = "a number of bytes, or a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB";

    /// <summary>Reads a size. A bare number is of bytes; case does not matter.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        text = text.Trim();
        int unit = 0;
        while (unit < Units.Length && !text.EndsWith(Units[unit], StringComparison.OrdinalIgnoreCase))
        {
            unit++;
        }

        long factor = unit < Units.Length ? Factors[unit] : 1;
        string number = unit < Units.Length ? text.Substring(0, text.Length - Units[unit].Length).TrimEnd() : text;
        bool good = decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            && value <= long.MaxValue / factor;
        bytes = good ? (long)(value * factor) : 0;
        return good;
    }
}
