using System.Globalization;
using System.Numerics;
using Compress.Core.Codecs.Entropy;
using Compress.Core.Codecs.Feedback;

namespace Compress.Core.Codecs.Higgs;

/// <summary>The method <c>higgs</c>; docs/codecs/higgs.md.</summary>
internal sealed class HiggsCodec : ICodec
{
    public string Name => "higgs";

    public string Summary => "random rotation, then the best grid for normal weights; needs no data (arXiv 2411.17525)";

    public int Version => 2;

    public IReadOnlyList<Setting> Settings { get; } =
    [
        new("bits", "Bits per weight, without the scales. With p = 2: 2 to 5; p = 3: 2 to 4; p = 4: 1 to 3; p = 8: 1.", 4, 1, 8, GivesBits: true),
        new("p", "Weights per code: 1, 2, 3, 4 or 8. 1 multiplies fastest; more have less error at the same size.", 1, 1, 8),
        new("n", "Points of the grid, instead of bits: 2 to 256 with p = 1; p = 2: 16, 64, 88, 256, 1024; p = 3: 64, 512, 830, 4096; p = 4: 16, 256, 4096; p = 8: 256. 0 means 2^(bits·p).", 0, 0, 4096, GivesBits: true),
        new("groupSize", "Weights that share a scale and are rotated together; a power of two.", 1024, 16, 4096),
        .. FeedbackSettings.Declared,
        EntropyCoding.Declared,
    ];

    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        int groupSize = settings.Int("groupSize");
        if (!BitOperations.IsPow2(groupSize))
        {
            throw new SettingException("groupSize", Text($"{groupSize} is not a power of two: 16, 32, 64, … 4096 are"));
        }

        var feedback = FeedbackSettings.From(settings);
        int p = settings.Int("p");
        if (!Grid.Dimensions.Contains(p))
        {
            throw new SettingException("p", Text($"there are no grids of dimension {p}: 1, 2, 3, 4 and 8 are"));
        }

        return EntropyCoding.Apply(new HiggsEncoder(Grid.Get(p, Points(settings)), groupSize, seed, feedback), settings);
    }

    private static int Points(SettingValues settings)
    {
        int bits = settings.Int("bits"), p = settings.Int("p"), n = settings.Int("n");
        var sizes = Grid.Sizes(p);
        string known = p == 1 ? "2 to 256" : string.Join(", ", sizes);
        if (n == 0)
        {
            int points = bits * p < 31 ? 1 << (bits * p) : 0;
            return sizes.Contains(points) ? points : throw new SettingException("bits", Text(
                $"{bits} with p = {p}: there are grids for {string.Join(", ", Widths(p))} bits, and by n of {known} points; p = 1 has 1 to 8 bits"));
        }

        if (!sizes.Contains(n))
        {
            throw new SettingException("n", Text($"{n} with p = {p}: there are grids of {known} points{(p == 1 ? "" : "; p = 1 has 2 to 256")}"));
        }

        if (settings.IsGiven("bits") && (bits * p > 12 || n != 1 << (bits * p)))
        {
            throw new SettingException("n", Text(
                $"{n} points with p = {p} take {Math.Log2(n) / p:0.###} bits per weight, but bits is {bits}: give one of them"));
        }

        return n;
    }

    // Of the bits per weight that a grid of 2^(bits·p) points gives.
    private static IEnumerable<int> Widths(int p) => Enumerable.Range(1, 8).Where(bits => bits * p < 31 && Grid.Sizes(p).Contains(1 << (bits * p)));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
