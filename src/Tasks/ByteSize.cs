using System;
using System.Globalization;
using System.Linq;

namespace Compress.Tasks;

/// <summary>Sizes as people write them: <c>1048576</c>, <c>64 MB</c>, <c>1.5 GiB</c>.</summary>
internal static class ByteSize
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ];

    /// <summary>What <see cref="TryParse"/> takes, in words.</summary>
    public const string Expected = "a number of bytes, or a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB";

    /// <summary>Reads a size. A bare number is of bytes; case does not matter.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        text = text.Trim();
        var (unit, factor) = Units.FirstOrDefault(u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase));
        string number = unit is null ? text : text.Substring(0, text.Length - unit.Length).TrimEnd();
        bool good = decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            && value <= long.MaxValue / Math.Max(1, factor);
        bytes = good ? (long)(value * Math.Max(1, factor)) : 0;
        return good;
    }
}
