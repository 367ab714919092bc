using System.Globalization;
using System.Numerics;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>The method <c>cvxq</c>; docs/codecs/cvxq.md.</summary>
internal sealed class CvxqCodec : ICodec
{
    private static readonly string[] Sensitivities = ["none", "inputs", "factored", "gradients", "hidden"];

    public string Name => "cvxq";

    public string Summary => "each group of weights gets its own bits, 0 to 8, where they lower the error most (arXiv 2409.02026)";

    public int Version => 1;

    public IReadOnlyList<Setting> Settings { get; } =
    [
        new("bits", "Bits per weight, on average over the tensor, without scales and depths; 3.5 is possible.", 4.0, 1, 8, GivesBits: true),
        new("groupSize", "Weights that share bits and a scale; a power of two.", 128, 64, 1024),
        new("quantizer", "laplace: the paper's compander; normal: rotation, then the best levels for normal weights.", "normal", Choices: ["laplace", "normal"]),
        new("sensitivity", "What tells how much a weight matters. All but none need a calibration.", "none", Choices: Sensitivities),
    ];

    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        int groupSize = settings.Int("groupSize");
        if (!BitOperations.IsPow2(groupSize))
        {
            throw new SettingException("groupSize", string.Create(CultureInfo.InvariantCulture, $"{groupSize} is not a power of two: 64, 128, … 1024 are"));
        }

        var sensitivity = (Sensitivity)Array.IndexOf(Sensitivities, settings.Text("sensitivity"));
        return new CvxqEncoder(new(settings.Number("bits"), 0), groupSize, settings.Text("quantizer") == "normal", sensitivity, seed);
    }

    /// <summary>The text that recipes use.</summary>
    public static string NameOf(Sensitivity sensitivity) => Sensitivities[(int)sensitivity];
}
