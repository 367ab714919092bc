using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.LowRank;

/// <summary>A method on top of a factorization: <c>lowrank</c> in a recipe, with the method that stands beside it; docs/codecs/lowrank.md.</summary>
/// <param name="lowRank">The factorization.</param>
/// <param name="method">Packs the factors, or the matrix that they correct.</param>
internal sealed class LowRankCodec(LowRankSettings lowRank, ICodec method) : ICodec
{
    // Of corrections. Other types than the method's: they are small, and what they correct is smaller.
    private const DType CorrectionType = DType.F16;

    private const StatisticKinds OfFactors = StatisticKinds.InputSecondMoments;

    public string Name => "lowrank";

    public string Summary => "the product of two thin matrices";

    public int Version => 1;

    public IReadOnlyList<Setting> Settings => method.Settings;

    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        var encoder = method.Configure(settings, seed);
        if (!lowRank.OfResidual && (encoder.Needs & ~OfFactors) != 0)
        {
            throw new SettingException("lowrank", $"method {method.Name} with these settings needs {Calibration.StatisticNames.Text(encoder.Needs & ~OfFactors, " and ")}, "
                + "which are known of the layer and not of its factors; choose other settings, or 'of: residual'");
        }

        string text = FormattableString.Invariant($"{method.Name}.{method.Version} {encoder.Settings}");
        return lowRank.OfResidual
            ? new LowRankEncoder(lowRank, new KeptElements(CorrectionType), encoder, text)
            : new LowRankEncoder(lowRank, encoder, null, text);
    }
}
