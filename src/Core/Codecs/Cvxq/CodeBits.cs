using System.Globalization;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>How many bits the codes of a layer get.</summary>
/// <param name="PerWeight">On average.</param>
/// <param name="Total">Of all codes together, as a budget decides.</param>
internal readonly record struct CodeBits(double? PerWeight, long Total)
{
    private const string Word = "codeBits=";

    /// <summary>Reads the bits of a layer's codes from an encoder's settings, if a budget gave them.</summary>
    public static bool TryParse(string settings, out long bits)
    {
        bits = 0;
        return settings.StartsWith(Word, StringComparison.Ordinal)
            && long.TryParse(settings.Split(' ')[0][Word.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out bits);
    }

    public double For(double weights) => PerWeight is { } average ? average * weights : Total;

    public override string ToString() => PerWeight is { } average
        ? string.Create(CultureInfo.InvariantCulture, $"bits={average}")
        : string.Create(CultureInfo.InvariantCulture, $"{Word}{Total}");
}
