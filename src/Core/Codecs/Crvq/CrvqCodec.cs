using Compress.Core.Codecs.Entropy;

namespace Compress.Core.Codecs.Crvq;

/// <summary>The method <c>crvq</c>; docs/codecs/crvq.md.</summary>
internal sealed class CrvqCodec : ICodec
{
    public string Name => "crvq";

    public string Summary => "about one bit per weight in large layers: one codebook for all, more for the critical channels (arXiv 2412.09282)";

    public int Version => 2;

    public IReadOnlyList<Setting> Settings { get; } =
    [
        AqlmCodec.GroupSize,
        new("codebooks", "Codebooks: one for all channels, the others for the critical ones only.", 4, 1, 8, GivesBits: true),
        AqlmCodec.CodebookBits,
        new("critical", "Percent of the input channels that are critical (the paper's lambda).", 2, 0, 100, GivesBits: true),
        AqlmCodec.Bits,
        AqlmCodec.Objective,
        EntropyCoding.Declared,
    ];

    public ILayerEncoder Configure(SettingValues settings, ulong seed) => EntropyCoding.Apply(new AdditiveEncoder(AdditiveSettings.Of(settings, relaxed: true)), settings);
}
