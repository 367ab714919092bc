using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Weights;
using Compress.Core.Numerics;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>A normalization of each token's vector.</summary>
internal abstract partial class Norm
{
    /// <summary>Normalizes one vector. The result may be the input.</summary>
    public abstract void Apply(ReadOnlySpan<float> x, Span<float> y);

    /// <summary>Normalizes every token's vector.</summary>
    /// <param name="x">[tokens, width].</param>
    /// <param name="y">[tokens, width]; may be <paramref name="x"/>.</param>
    /// <param name="tokens">How many.</param>
    public unsafe void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens)
    {
        int width = x.Length / tokens;
        fixed (float* pinnedX = x, pinnedY = y)
        {
            float* from = pinnedX, to = pinnedY;
            Threads.ForTokens(tokens, (first, count) =>
            {
                for (int token = first; token < first + count; token++)
                {
                    Apply(new ReadOnlySpan<float>(from + ((long)token * width), width), new Span<float>(to + ((long)token * width), width));
                }
            });
        }
    }
}

/// <summary>RMSNorm (Zhang and Sennrich, arXiv 1910.07467): <c>w · x / √(mean x² + ε)</c>.</summary>
internal sealed partial class RmsNorm(Parameter weight, float epsilon) : Norm
{
    public override void Apply(ReadOnlySpan<float> x, Span<float> y)
    {
        float scale = 1 / MathF.Sqrt((FixedOrder.Dot(x, x) / x.Length) + epsilon);
        TensorPrimitives.Multiply(x, scale, y);
        TensorPrimitives.Multiply(y, weight.Vector, y);
    }
}

/// <summary>Layer normalization (Ba et al., arXiv 1607.06450): <c>w · (x − mean) / √(variance + ε) + b</c>.</summary>
/// <param name="weight">[width], or null for ones.</param>
/// <param name="bias">[width], or null for zeros.</param>
/// <param name="epsilon">ε.</param>
internal sealed partial class LayerNorm(Parameter? weight, Parameter? bias, float epsilon) : Norm
{
    public override void Apply(ReadOnlySpan<float> x, Span<float> y)
    {
        TensorPrimitives.Subtract(x, FixedOrder.Sum(x) / x.Length, y);
        TensorPrimitives.Multiply(y, 1 / MathF.Sqrt((FixedOrder.Dot(y, y) / y.Length) + epsilon), y);
        if (weight is not null)
        {
            TensorPrimitives.Multiply(y, weight.Vector, y);
        }

        if (bias is not null)
        {
            TensorPrimitives.Add(y, bias.Vector, y);
        }
    }
}
