using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.LanguageModels;
using Compress.Core.LanguageModels.Blocks;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Calibration;

/// <summary>Statistics that have been computed go into the cache, unless they are of nothing.</summary>
internal sealed partial class TextStatistics
{
    private void Keep(LinearGroup group, InputMoments moments, StatisticKinds kinds)
    {
        source.ThrowIfChanged(); // what is kept is of the model that was hashed
        if (moments.Tokens == 0)
        {
            throw new CompressException(Error(
                Codes.CalibrationNonFinite, Severity.Error,
                $"the inputs of layer {Quote.Name(group.First.Name)} are not finite, or beyond 1e18, for all {moments.Skipped} tokens; the model does not work in 32-bit floats"));
        }

        foreach (var (kind, _) in StatisticNames.Of(kinds))
        {
            Keep(kind, group.First.Name, kind == StatisticKinds.InputMeans ? moments.Means() : moments.SecondMoments(), moments.Tokens, moments.Skipped);
        }
    }

    private void Keep(Linear layer, OutputCovariance covariance)
    {
        source.ThrowIfChanged();
        if (covariance.Tokens == 0)
        {
            throw new CompressException(Error(
                Codes.CalibrationNonFinite, Severity.Error,
                $"the outputs of layer {Quote.Name(layer.Name)} are not finite for all {covariance.Skipped} tokens; the model does not work in 32-bit floats"));
        }

        Keep(StatisticKinds.OutputCovariance, layer.Name, Array.ConvertAll(covariance.Covariance(), value => (float)value), covariance.Tokens, covariance.Skipped);
    }

    private void Keep(GradientCalibrator.Result result)
    {
        source.ThrowIfChanged();
        if (result.Counted == 0 || Array.Exists(result.Values, value => !float.IsFinite(value)))
        {
            throw new CompressException(Error(
                Codes.CalibrationNonFinite, Severity.Error,
                $"the gradients of layer {Quote.Name(result.Layer.Name)} are not finite; the model does not work in 32-bit floats"));
        }

        Keep(result.Kind, result.Layer.Name, result.Values, result.Counted, result.Skipped);
    }

    private void Keep(StatisticKinds kind, string layer, float[] values, long counted, long skipped)
    {
        var key = Key(StatisticNames.Text(kind, ""), kind, layer);
        found[key.Digest] = StatisticEntry.Write(store!, key, layers.Shape(kind, layer), values, counted, skipped);
    }
}
