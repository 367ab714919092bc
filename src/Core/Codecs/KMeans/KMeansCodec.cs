using Compress.Core.Codecs.Entropy;

namespace Compress.Core.Codecs.KMeans;

/// <summary>What the squared errors of weights are multiplied by.</summary>
internal enum Weighting
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The mean squares of their inputs: the diagonal of the Hessian of the outputs' squared error.</summary>
    Inputs,

    /// <summary>Their mean squared gradients: the diagonal of the Fisher information (SqueezeLLM, Kim et al., arXiv 2306.07629, §4.1).</summary>
    Gradients,
}

/// <summary>The method <c>kmeans</c>; docs/codecs/kmeans.md.</summary>
internal sealed class KMeansCodec : ICodec
{
    private const int MaxShareRows = 65536;

    public string Name => "kmeans";

    public string Summary => "weights share the values that fit them best (Deep Compression, arXiv 1510.00149)";

    public int Version => 1;

    public bool PacksSingleWeights => true;

    public IReadOnlyList<Setting> Settings { get; } =
    [
        new("bits", "Bits per weight, without the shared values: 2^bits of them.", 4, 1, 8, GivesBits: true),
        new("shareRows", "Rows that share their values; 0: all rows of the matrix. 1 has the least error, and the most values to store.", 0, 0, MaxShareRows),
        new("clustering", "optimal: the least squared error there is; lloyd: Lloyd's algorithm from evenly spaced values, as in the paper.", "optimal", Choices: ["optimal", "lloyd"]),
        new("weighting", "What the squared error of a weight is multiplied by: its input's mean square, or its mean squared gradient. All but none need a calibration.", "none", Choices: ["none", "inputs", "gradients"]),
        EntropyCoding.Declared,
    ];

    public ILayerEncoder Configure(SettingValues settings, ulong seed) => EntropyCoding.Apply(
        new KMeansEncoder(
            settings.Int("bits"), settings.Int("shareRows"), settings.Text("clustering") == "lloyd", Enum.Parse<Weighting>(settings.Text("weighting"), ignoreCase: true)),
        settings);
}
