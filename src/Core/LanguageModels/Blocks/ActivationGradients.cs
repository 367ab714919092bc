using System.Numerics.Tensors;
using Compress.Core.Numerics;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>The derivatives of the functions of <see cref="Activations"/>.</summary>
internal static class ActivationGradients
{
    private const int Chunk = 256;

    /// <summary>1 above zero, 0 at it and below.</summary>
    public static void Relu(ReadOnlySpan<float> values, Span<float> gradients)
    {
        for (int i = 0; i < values.Length; i++)
        {
            gradients[i] = values[i] > 0 ? gradients[i] : 0;
        }
    }

    /// <summary>σ(x) (1 + x (1 − σ(x)))</summary>
    public static void Silu(ReadOnlySpan<float> values, Span<float> gradients)
    {
        Span<float> sigmoid = stackalloc float[Chunk], rest = stackalloc float[Chunk];
        for (int start = 0; start < values.Length; start += Chunk)
        {
            var x = values[start..Math.Min(start + Chunk, values.Length)];
            Span<float> s = sigmoid[..x.Length], r = rest[..x.Length], g = gradients.Slice(start, x.Length);
            ElementaryVectors.Sigmoid(x, s);
            TensorPrimitives.Subtract(1, s, r);
            TensorPrimitives.Multiply(r, x, r);
            TensorPrimitives.Add(r, 1, r);
            TensorPrimitives.Multiply(r, s, r);
            TensorPrimitives.Multiply(g, r, g);
        }
    }

    /// <summary>Φ(x) + x φ(x)</summary>
    public static void Gelu(ReadOnlySpan<float> values, Span<float> gradients)
    {
        for (int i = 0; i < values.Length; i++)
        {
            double x = values[i];
            gradients[i] = (float)(gradients[i] * ((0.5 * (1 + Activations.Erf(x * 0.70710678118654752))) + (x * Normal.Density(x))));
        }
    }

    /// <summary>Of x σ(z) with z = 2 √(2/π) (x + 0.044715 x³): σ(z) (1 + x (1 − σ(z)) z′).</summary>
    public static void GeluTanh(ReadOnlySpan<float> values, Span<float> gradients)
    {
        const float Scale = 1.5957691216057308f, Cubic = 0.044715f * Scale; // 2 √(2/π)
        Span<float> sigmoid = stackalloc float[Chunk], squares = stackalloc float[Chunk], rest = stackalloc float[Chunk];
        for (int start = 0; start < values.Length; start += Chunk)
        {
            var x = values[start..Math.Min(start + Chunk, values.Length)];
            Span<float> s = sigmoid[..x.Length], q = squares[..x.Length], r = rest[..x.Length], g = gradients.Slice(start, x.Length);
            TensorPrimitives.Multiply(x, x, q);
            TensorPrimitives.Multiply(q, Cubic, q);
            TensorPrimitives.Add(q, Scale, s);
            TensorPrimitives.Multiply(s, x, s);
            ElementaryVectors.Sigmoid(s, s);
            TensorPrimitives.Multiply(q, 3, q);
            TensorPrimitives.Add(q, Scale, q);
            TensorPrimitives.Subtract(1, s, r);
            TensorPrimitives.Multiply(r, q, r);
            TensorPrimitives.Multiply(r, x, r);
            TensorPrimitives.Add(r, 1, r);
            TensorPrimitives.Multiply(r, s, r);
            TensorPrimitives.Multiply(g, r, g);
        }
    }
}
