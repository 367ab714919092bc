using System.Numerics.Tensors;
using Compress.Core.LanguageModels.Weights;
using Compress.Runtime.Numerics;

namespace Compress.Core.LanguageModels.Blocks;

/// <summary>A linear layer: <c>y = W x + b</c>.</summary>
/// <param name="weight">[out, in]; [in, out] if it is stored transposed.</param>
/// <param name="bias">[out], or null.</param>
/// <param name="transposed">How the weight is stored.</param>
internal sealed partial class Linear(Parameter weight, Parameter? bias = null, bool transposed = false)
{
    /// <summary>Length of a result.</summary>
    public int Outputs => transposed ? weight.Columns : weight.Rows;

    /// <summary>Length of an input.</summary>
    public int Inputs => transposed ? weight.Rows : weight.Columns;

    /// <summary>The name of its weights in the source model.</summary>
    public string Name => weight.Name;

    /// <summary>The names of its weights and its biases.</summary>
    public IEnumerable<string> TensorNames => bias is null ? [weight.Name] : [weight.Name, bias.Name];

    /// <summary>True if its weights are stored as [in, out].</summary>
    public bool Transposed => transposed;

    /// <summary>Is shown what the layer is applied to, if not null. Set while nothing runs.</summary>
    public IVectorObserver? Observer { get; set; }

    /// <summary>Is shown what the layer gives, if not null. Set while nothing runs.</summary>
    public IVectorObserver? OutputObserver { get; set; }

    /// <summary>Applies it to every token.</summary>
    /// <param name="x">[tokens, in].</param>
    /// <param name="y">[tokens, out].</param>
    /// <param name="tokens">How many.</param>
    public void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens)
    {
        RotatedInput own = default;
        Apply(x, y, tokens, ref own);
        own.Dispose();
    }

    /// <summary>Applies one of several layers with the same input to every token.</summary>
    /// <param name="x">[tokens, in].</param>
    /// <param name="y">[tokens, out].</param>
    /// <param name="tokens">How many.</param>
    /// <param name="rotated">Shared by the layers, so that those packed with one rotation rotate their input once.</param>
    public void Apply(ReadOnlySpan<float> x, Span<float> y, int tokens, ref RotatedInput rotated)
    {
        Observer?.Add(x, tokens);
        if (transposed)
        {
            TransposedProduct.Multiply(weight, x, y, tokens);
        }
        else
        {
            weight.Multiply(x, y, tokens, ref rotated);
        }

        if (bias is not null)
        {
            var vector = bias.Vector;
            for (int token = 0; token < tokens; token++)
            {
                var row = y.Slice(token * vector.Length, vector.Length);
                TensorPrimitives.Add(row, vector, row);
            }
        }

        OutputObserver?.Add(y[..(tokens * Outputs)], tokens);
    }
}
