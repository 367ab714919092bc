using System.Numerics;
using Compress.Core.Numerics;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>
/// Rotary position embeddings (Su et al., arXiv 2104.09864) in rotate-half order: the values i and i + d/2 of a head are turned by
/// position · frequency[i]. Angles are rounded to floats, as in the implementations that models are trained with.
/// </summary>
internal sealed class Rotary(float[] frequencies)
{
    private readonly Lock growing = new();
    private float[] table = []; // [positions, 2, d/2]: cosines, sines

    /// <summary>base^(−2i/d) for i = 0 … d/2 − 1.</summary>
    public static float[] Frequencies(int headSize, float theta) =>
        [.. Enumerable.Range(0, headSize / 2).Select(i => (float)(1 / Elementary.Pow(theta, 2.0 * i / headSize)))];

    /// <summary>Turns heads of tokens at positions 0, 1, ….</summary>
    /// <param name="values">[tokens, stride]; a token's heads come first.</param>
    /// <param name="stride">From one token to the next.</param>
    /// <param name="heads">Heads of a token.</param>
    /// <param name="tokens">How many.</param>
    public void Apply(Span<float> values, int stride, int heads, int tokens) => Turn(values, stride, heads, tokens, 1);

    /// <summary>Turns them back: the inverse, and so the transpose, which gradients go through.</summary>
    /// <param name="values">[tokens, stride]; a token's heads come first.</param>
    /// <param name="stride">From one token to the next.</param>
    /// <param name="heads">Heads of a token.</param>
    /// <param name="tokens">How many.</param>
    public void ApplyInverse(Span<float> values, int stride, int heads, int tokens) => Turn(values, stride, heads, tokens, -1);

    private void Turn(Span<float> values, int stride, int heads, int tokens, float direction)
    {
        int half = frequencies.Length;
        var turns = Table(tokens);
        for (int token = 0; token < tokens; token++)
        {
            var cosines = turns.Slice(token * 2 * half, half);
            var sines = turns.Slice(((token * 2) + 1) * half, half);
            for (int head = 0; head < heads; head++)
            {
                var low = values.Slice((token * stride) + (head * 2 * half), half);
                var high = values.Slice((token * stride) + (((head * 2) + 1) * half), half);
                int i = 0;
                for (; i <= half - Vector<float>.Count; i += Vector<float>.Count)
                {
                    Vector<float> a = new(low[i..]), b = new(high[i..]), cosine = new(cosines[i..]), sine = new Vector<float>(sines[i..]) * direction;
                    ((a * cosine) - (b * sine)).CopyTo(low[i..]);
                    ((b * cosine) + (a * sine)).CopyTo(high[i..]);
                }

                for (; i < half; i++)
                {
                    (float a, float b, float sine) = (low[i], high[i], direction * sines[i]);
                    low[i] = (a * cosines[i]) - (b * sine);
                    high[i] = (b * cosines[i]) + (a * sine);
                }
            }
        }
    }

    private ReadOnlySpan<float> Table(int positions)
    {
        int row = 2 * frequencies.Length;
        lock (growing)
        {
            if (table.Length < positions * row)
            {
                float[] longer = new float[positions * row];
                for (int position = 0; position < positions; position++)
                {
                    for (int i = 0; i < frequencies.Length; i++)
                    {
                        (double sine, double cosine) = Elementary.SinCos(position * frequencies[i]);
                        longer[(position * row) + i] = (float)cosine;
                        longer[(position * row) + frequencies.Length + i] = (float)sine;
                    }
                }

                table = longer;
            }

            return table;
        }
    }
}
