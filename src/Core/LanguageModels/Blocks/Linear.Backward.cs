using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Gradients;
using Compress.Runtime.Kernels;

namespace Compress.Core.LanguageModels.Blocks;

internal sealed partial class Linear
{
    /// <summary>The gradients of what <see cref="Apply(ReadOnlySpan{float}, Span{float}, int)"/> computes.</summary>
    /// <param name="x">Its input, [tokens, in].</param>
    /// <param name="dy">The gradient of its output, [tokens, out].</param>
    /// <param name="dx">Receives the gradient of the input, dY W, [tokens, in].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="observer">Is told those of weights and biases.</param>
    /// <param name="add">True to add to <paramref name="dx"/>.</param>
    public void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, int tokens, IGradientObserver observer, bool add = false)
    {
        observer.OnLinear(new()
        {
            Name = weight.Name, Tokens = tokens, InputWidth = Inputs, OutputWidth = Outputs, Inputs = x, OutputGradients = dy, Transposed = transposed,
        });
        if (bias is not null)
        {
            using var sums = new Scratch(Outputs);
            sums.Span.Clear();
            for (int token = 0; token < tokens; token++)
            {
                TensorPrimitives.Add(sums.Span, dy.Slice(token * Outputs, Outputs), sums.Span);
            }

            observer.OnVector(bias.Name, sums.Span);
        }

        if (!transposed)
        {
            TransposedProduct.Multiply(weight, dy, dx, tokens, add);
        }
        else if (!add)
        {
            weight.Multiply(dy, dx, tokens);
        }
        else
        {
            using var product = new Scratch(dx.Length);
            weight.Multiply(dy, product.Span, tokens);
            TensorPrimitives.Add(dx, product.Span, dx);
        }
    }
}
