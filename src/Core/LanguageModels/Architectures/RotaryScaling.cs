using Compress.Core.LanguageModels.Blocks;

namespace Compress.Core.LanguageModels.Architectures;

/// <summary>
/// The frequencies of rotary embeddings as configurations give them: <c>rope_theta</c>, and <c>rope_scaling</c> (or, newer, both in
/// <c>rope_parameters</c>) for models whose context was extended.
/// </summary>
internal static class RotaryScaling
{
    /// <summary>Frequencies for half the values of a head.</summary>
    public static float[] Frequencies(ModelConfig config, int headSize)
    {
        var scaling = config.Object("rope_parameters") ?? config.Object("rope_scaling");
        float theta = scaling?.Has("rope_theta") == true ? scaling.Float("rope_theta") : config.FloatOr("rope_theta", 10000);
        float[] frequencies = Rotary.Frequencies(headSize, theta);
        if (scaling is null)
        {
            return frequencies;
        }

        string key = scaling.Has("rope_type") ? "rope_type" : "type";
        return scaling.TextOr(key, "default") switch
        {
            "default" => frequencies,
            "linear" => Array.ConvertAll(frequencies, frequency => frequency / scaling.Float("factor")),
            "llama3" => Llama3(frequencies, scaling),
            _ => throw scaling.Wrong(key, "one of default, linear, llama3"),
        };
    }

    // Llama 3.1 (Grattafiori et al., arXiv 2407.21783): slow turns are slowed down by the factor, fast ones stay, between is a ramp.
    private static float[] Llama3(float[] frequencies, ModelConfig scaling)
    {
        float factor = scaling.Float("factor"), low = scaling.Float("low_freq_factor"), high = scaling.Float("high_freq_factor");
        int context = scaling.Int("original_max_position_embeddings");
        if (high <= low)
        {
            throw scaling.Wrong("high_freq_factor", $"more than the {low} of 'low_freq_factor'");
        }

        return Array.ConvertAll(frequencies, frequency =>
        {
            float turns = context * frequency / (2 * MathF.PI); // within the original context
            float kept = Math.Clamp((turns - low) / (high - low), 0, 1);
            return ((1 - kept) * frequency / factor) + (kept * frequency);
        });
    }
}
