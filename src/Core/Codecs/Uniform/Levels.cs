namespace Compress.Core.Codecs.Uniform;

/// <summary>What codes mean: <c>scale (q − zero)</c> for q = 0 … <see cref="Last"/>.</summary>
internal sealed class Levels(int bits, bool symmetric)
{
    // Symmetric: codes 0 … 2 half stand for −half … half, and the code 2^bits − 1 is not used.
    private readonly int half = (1 << (bits - 1)) - 1;
    private readonly float step = 1f / ((1 << bits) - 1);

    /// <summary>The greatest code.</summary>
    public int Last => symmetric ? 2 * half : (1 << bits) - 1;

    /// <summary>The distance between levels that cover a range.</summary>
    public float Scale(ValueRange range) => symmetric ? range.Magnitude / half : (range.High * step) - (range.Low * step);

    /// <summary>The code of zero.</summary>
    /// <param name="low">The lower end of the range.</param>
    /// <param name="scale">The distance between levels.</param>
    public int Zero(float low, float scale) =>
        symmetric ? half : scale == 0 ? 0 : Math.Min((int)(((double)-low / scale) + 0.5), Last);
}
