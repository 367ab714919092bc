using System.Globalization;

namespace Compress.Core.Codecs.Crvq;

/// <summary>What a recipe says of additive codes.</summary>
/// <param name="GroupSize">Weights of a group.</param>
/// <param name="Relaxed">True if only critical channels have all codebooks (CRVQ), false if all have (AQLM).</param>
/// <param name="Outputs">True if errors count as the layer's outputs have them, false if all alike.</param>
internal sealed record AdditiveSettings(int GroupSize, bool Relaxed, bool Outputs)
{
    /// <summary>Codebooks.</summary>
    public int Codebooks { get; init; }

    /// <summary>Bits of a code.</summary>
    public int CodebookBits { get; init; } = 8;

    /// <summary>Percent of the channels that are critical.</summary>
    public int Critical { get; init; } = 100;

    /// <summary>Bits per weight that decide all of these, with everything that is stored; null if these are given.</summary>
    public double? Bits { get; init; }

    /// <summary>All that can change a byte.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"groupSize={GroupSize} ")
        + (Bits is { } bits
            ? string.Create(CultureInfo.InvariantCulture, $"bits={bits:R}")
            : string.Create(CultureInfo.InvariantCulture, $"codebooks={Codebooks} codebookBits={CodebookBits}") + (Relaxed ? string.Create(CultureInfo.InvariantCulture, $" critical={Critical}") : ""))
        + (Outputs ? " objective=outputs" : " objective=weights");

    /// <summary>What a recipe says.</summary>
    /// <param name="settings">Of <see cref="AqlmCodec"/> or <see cref="CrvqCodec"/>.</param>
    /// <param name="relaxed">True for the latter.</param>
    /// <exception cref="SettingException">Bits, and what they decide.</exception>
    public static AdditiveSettings Of(SettingValues settings, bool relaxed)
    {
        var read = new AdditiveSettings(settings.Int("groupSize"), relaxed, settings.Text("objective") == "outputs");
        if (settings.Number("bits") == 0)
        {
            return read with { Codebooks = settings.Int("codebooks"), CodebookBits = settings.Int("codebookBits"), Critical = relaxed ? settings.Int("critical") : 100 };
        }

        string[] decided = relaxed ? ["critical", "codebooks", "codebookBits"] : ["codebooks", "codebookBits"];
        return Array.Find(decided, settings.IsGiven) is { } other
            ? throw new SettingException(other, "'bits' decides it; remove one of them")
            : read with { Bits = settings.Number("bits") };
    }

    /// <summary>The form of a matrix.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="importance">Of each channel; used for bits of relaxed codes.</param>
    public AdditiveForm Form(int rows, int columns, double[]? importance)
    {
        if (Bits is { } bits)
        {
            return FormSearch.Best(bits, rows, columns, GroupSize, Relaxed ? importance! : null);
        }

        return new(rows, columns, GroupSize, Codebooks, CodebookBits, Relaxed ? CriticalGroups(Critical, columns, GroupSize) : null);
    }

    /// <summary>Groups of critical channels: the nearest number, one at least.</summary>
    public static int CriticalGroups(int percent, int columns, int groupSize) =>
        percent == 0 ? 0 : Math.Min((int)Math.Max(1, (((long)columns * percent) + (50L * groupSize)) / (100L * groupSize)), columns / groupSize);
}
