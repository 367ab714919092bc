using System.Numerics.Tensors;
using Compress.Core.Numerics;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>An activation function and its derivative.</summary>
/// <param name="Apply">Applies the function to every value, in place.</param>
/// <param name="Backward">Given what the function was applied to, multiplies gradients by its derivative, in place.</param>
internal sealed record Activation(Action<Span<float>> Apply, ActivationGradient Backward);

/// <summary>Given what a function was applied to, multiplies gradients by its derivative, in place.</summary>
internal delegate void ActivationGradient(ReadOnlySpan<float> values, Span<float> gradients);

/// <summary>The activation functions, by the names that Hugging Face's configurations use.</summary>
internal static class Activations
{
    private static readonly Dictionary<string, Activation> ByName = new(StringComparer.Ordinal)
    {
        ["relu"] = new(values => TensorPrimitives.Max(values, 0, values), ActivationGradients.Relu),
        ["silu"] = new(Silu, ActivationGradients.Silu),
        ["swish"] = new(Silu, ActivationGradients.Silu),
        ["gelu"] = new(Gelu, ActivationGradients.Gelu),
        ["gelu_new"] = new(GeluTanh, ActivationGradients.GeluTanh),
        ["gelu_pytorch_tanh"] = new(GeluTanh, ActivationGradients.GeluTanh),
    };

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>The function of that name, or null.</summary>
    public static Activation? Find(string name) => ByName.GetValueOrDefault(name);

    // x σ(x)
    private static void Silu(Span<float> values)
    {
        Span<float> sigmoid = stackalloc float[256];
        for (int start = 0; start < values.Length; start += sigmoid.Length)
        {
            var part = values[start..Math.Min(start + sigmoid.Length, values.Length)];
            ElementaryVectors.Sigmoid(part, sigmoid);
            TensorPrimitives.Multiply(part, sigmoid[..part.Length], part);
        }
    }

    // x Φ(x) (Hendrycks and Gimpel, arXiv 1606.08415)
    private static void Gelu(Span<float> values)
    {
        foreach (ref float value in values)
        {
            value = (float)(0.5 * value * (1 + Erf(value * 0.70710678118654752)));
        }
    }

    // The same with Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, as GPT-2 was trained: x σ(2 …), since (1 + tanh u) / 2 = σ(2u).
    private static void GeluTanh(Span<float> values)
    {
        const float Scale = 1.5957691216057308f; // 2 √(2/π)
        Span<float> sigmoid = stackalloc float[256];
        for (int start = 0; start < values.Length; start += sigmoid.Length)
        {
            var part = values[start..Math.Min(start + sigmoid.Length, values.Length)];
            var inner = sigmoid[..part.Length];
            TensorPrimitives.Multiply(part, part, inner);
            TensorPrimitives.Multiply(inner, 0.044715f * Scale, inner);
            TensorPrimitives.Add(inner, Scale, inner);
            TensorPrimitives.Multiply(inner, part, inner);
            ElementaryVectors.Sigmoid(inner, inner);
            TensorPrimitives.Multiply(part, inner, part);
        }
    }

    /// <summary>The error function within 1.5e-7 (Abramowitz and Stegun 7.1.26).</summary>
    internal static double Erf(double x)
    {
        double t = 1 / (1 + (0.3275911 * Math.Abs(x)));
        double series = t * (0.254829592 + (t * (-0.284496736 + (t * (1.421413741 + (t * (-1.453152027 + (t * 1.061405429))))))));
        return Math.CopySign(1 - (series * Elementary.Exp(-x * x)), x);
    }
}
