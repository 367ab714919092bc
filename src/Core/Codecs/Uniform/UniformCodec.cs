using System.Globalization;
using System.Numerics;
using Compress.Core.Codecs.Entropy;
using Compress.Core.Codecs.Feedback;

namespace Compress.Core.Codecs.Uniform;

/// <summary>The method <c>uniform</c>; docs/codecs/uniform.md.</summary>
internal sealed class UniformCodec : ICodec
{
    public string Name => "uniform";

    public string Summary => "evenly spaced levels (round to nearest): INT8, INT4 and the widths between";

    public int Version => 1;

    public bool PacksSingleWeights => true;

    public IReadOnlyList<Setting> Settings { get; } =
    [
        new("bits", "Bits per weight, without scales and zero points.", 8, 2, 8, GivesBits: true),
        new("symmetric", "true: levels symmetric about zero; false: a zero point for each scale, for the least error.", false),
        new("granularity", "What shares a scale: the tensor, a channel (row), or a group of a row.", "group", Choices: ["tensor", "channel", "group"]),
        new("groupSize", "Weights of a group; a power of two. Only with granularity: group.", 64, 16, 4096),
        new("clip", "mse: narrow each range where that lessens the squared error (for few bits; slower); none: keep it.", "none", Choices: ["none", "mse"]),
        .. FeedbackSettings.Declared,
        EntropyCoding.Declared,
    ];

    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        int groupSize = settings.Int("groupSize");
        if (!BitOperations.IsPow2(groupSize))
        {
            throw new SettingException("groupSize",
                string.Create(CultureInfo.InvariantCulture, $"{groupSize} is not a power of two: 16, 32, 64, … 4096 are"));
        }

        var granularity = Enum.Parse<Granularity>(settings.Text("granularity"), ignoreCase: true);
        if (granularity != Granularity.Group && settings.IsGiven("groupSize"))
        {
            throw new SettingException("groupSize",
                $"it has no meaning with granularity: {settings.Text("granularity")}; leave it out, or use granularity: group");
        }

        var encoder = new UniformEncoder(
            settings.Int("bits"), settings.Bool("symmetric"), granularity, groupSize, settings.Text("clip") == "mse", FeedbackSettings.From(settings));
        return EntropyCoding.Apply(encoder, settings);
    }
}
