using Compress.Core.Codecs.Entropy;

namespace Compress.Core.Codecs.Crvq;

/// <summary>The method <c>aqlm</c>; docs/codecs/aqlm.md.</summary>
internal sealed class AqlmCodec : ICodec
{
    /// <summary>What both methods are told.</summary>
    internal static readonly Setting GroupSize = new("groupSize", "Weights that are encoded together, as one vector.", 8, 2, 32);

    /// <summary>What both methods are told.</summary>
    internal static readonly Setting CodebookBits = new("codebookBits", "Bits of a code: a codebook has 2^codebookBits vectors.", 8, 4, 8, GivesBits: true);

    /// <summary>What both methods are told.</summary>
    internal static readonly Setting Bits = new(
        "bits", "Bits per weight, with everything that is stored, such as 1.25: decides codebooks, codebookBits and critical channels for each layer; 0: these are as given.", 0.0, 0, 4, GivesBits: true);

    /// <summary>What both methods are told.</summary>
    internal static readonly Setting Objective = new(
        "objective", "outputs: the least error of the layer's outputs (needs calibration); weights: the least error of the weights.", "weights", Choices: ["weights", "outputs"]);

    public string Name => "aqlm";

    public string Summary => "groups of weights as sums of vectors from learned codebooks, 1 to 4 bits per weight in large layers (arXiv 2401.06118)";

    public int Version => 2;

    public IReadOnlyList<Setting> Settings { get; } =
        [GroupSize, new("codebooks", "Codebooks, whose vectors are added: each takes codebookBits / groupSize bits per weight.", 2, 1, 8, GivesBits: true), CodebookBits, Bits, Objective, EntropyCoding.Declared];

    public ILayerEncoder Configure(SettingValues settings, ulong seed) => EntropyCoding.Apply(new AdditiveEncoder(AdditiveSettings.Of(settings, relaxed: false)), settings);
}
