using System.Globalization;
using System.Numerics;
using Compress.Core.Codecs.Entropy;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>The method <c>cvxq</c>; docs/codecs/cvxq.md.</summary>
internal sealed class CvxqCodec : ICodec
{
    private static readonly string[] Sensitivities = ["none", "inputs", "factored", "gradients", "hidden"];

    /// <summary>Rows of any length, as a recipe asks for.</summary>
    public const int AllRows = 1;

    // A half for a row takes at most an eighth of a bit a weight.
    private const int LeastCorrected = 128;

    public string Name => "cvxq";

    public string Summary => "each group of weights gets its own bits, 0 to 8, where they lower the error most (arXiv 2409.02026)";

    public int Version => 4;

    public IReadOnlyList<Setting> Settings { get; } =
    [
        new("bits", "Bits per weight, on average over the tensor, without scales and depths; 3.5 is possible.", 4.0, 1, 8, GivesBits: true),
        new("groupSize", "Weights that share bits and a scale; a power of two.", 128, 64, 1024),
        new("grouping", "rows: groups are parts of rows, and products are fast; clusters: one column of rows that matter alike, as in the paper.", "rows", Choices: ["rows", "clusters"]),
        new("quantizer", "laplace: the paper's compander; normal: rotation, then the best levels for normal weights.", "normal", Choices: ["laplace", "normal"]),
        new("sensitivity", "What tells how much a weight matters. All but none need a calibration.", "none", Choices: Sensitivities),
        new("biasCorrection", "Products make up for what quantization does to mean outputs, with a half for each row. Needs a calibration. Not by itself in rows of fewer than 128 weights, where errors are large, or with sensitivity none.", true),
        EntropyCoding.Declared,
    ];

    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        int groupSize = settings.Int("groupSize");
        if (!BitOperations.IsPow2(groupSize))
        {
            throw new SettingException("groupSize", string.Create(CultureInfo.InvariantCulture, $"{groupSize} is not a power of two: 64, 128, … 1024 are"));
        }

        var sensitivity = (Sensitivity)Array.IndexOf(Sensitivities, settings.Text("sensitivity"));
        bool asked = settings.IsGiven("biasCorrection"), corrected = settings.Bool("biasCorrection") && (asked || sensitivity != Sensitivity.None);
        return new CvxqEncoder(
            new(settings.Number("bits"), 0), groupSize, settings.Text("grouping") == "clusters", settings.Text("quantizer") == "normal", sensitivity, corrected ? asked ? AllRows : LeastCorrected : null,
            settings.Bool(EntropyCoding.Declared.Name), seed);
    }

    /// <summary>The text that recipes use.</summary>
    public static string NameOf(Sensitivity sensitivity) => Sensitivities[(int)sensitivity];
}
