using System.Globalization;
using System.Numerics;
using Compress.Core.Codecs.Feedback;

namespace Compress.Core.Codecs.Higgs;

/// <summary>The method <c>higgs</c>; docs/codecs/higgs.md.</summary>
internal sealed class HiggsCodec : ICodec
{
    public string Name => "higgs";

    public string Summary => "random rotation, then the best grid for normal weights; needs no data (arXiv 2411.17525)";

    public int Version => 1;

    public IReadOnlyList<Setting> Settings { get; } =
    [
        new("bits", "Bits per weight, without the scales. With p = 2: 2, 3 or 4.", 4, 1, 8, GivesBits: true),
        new("p", "Weights per code. 1 multiplies fastest; 2 has a sixth less error at the same size.", 1, 1, 2),
        new("n", "Points of the grid, instead of bits: 2 to 256 with p = 1; 16, 64 or 256 with p = 2. 0 means 2^(bits·p).", 0, 0, 256, GivesBits: true),
        new("groupSize", "Weights that share a scale and are rotated together; a power of two.", 1024, 16, 4096),
        .. FeedbackSettings.Declared,
    ];

    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        int groupSize = settings.Int("groupSize");
        if (!BitOperations.IsPow2(groupSize))
        {
            throw new SettingException("groupSize", Text($"{groupSize} is not a power of two: 16, 32, 64, … 4096 are"));
        }

        return new HiggsEncoder(Grid.Get(settings.Int("p"), Points(settings)), groupSize, seed, FeedbackSettings.From(settings));
    }

    private static int Points(SettingValues settings)
    {
        int bits = settings.Int("bits"), p = settings.Int("p"), n = settings.Int("n");
        if (n == 0)
        {
            return p == 1 || Grid.PlanarSizes.Contains(1 << Math.Min(bits * p, 30)) ? 1 << (bits * p)
                : throw new SettingException("bits", Text($"{bits} with p = 2: there are grids for 2, 3 and 4 bits; p = 1 has 1 to 8"));
        }

        if (p == 1 && n == 1)
        {
            throw new SettingException("n", "1 is too few: a grid has 2 to 256 points");
        }

        if (p == 2 && !Grid.PlanarSizes.Contains(n))
        {
            throw new SettingException("n", Text($"{n} with p = 2: there are grids of {string.Join(", ", Grid.PlanarSizes)} points; p = 1 has 2 to 256"));
        }

        if (settings.IsGiven("bits") && Grid.Bits(n) != bits * p)
        {
            throw new SettingException("n", Text(
                $"{n} points with p = {p} take {(double)Grid.Bits(n) / p} bits per weight, but bits is {bits}: give one of them"));
        }

        return n;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
