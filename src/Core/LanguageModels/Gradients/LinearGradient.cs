namespace Compress.Core.LanguageModels.Gradients;

/// <summary>The gradient of a linear layer <c>y = W x + b</c> with respect to W: <c>dW = dYᵀ X</c>, the sum of the tokens' outer products.</summary>
public readonly ref struct LinearGradient
{
    /// <summary>The name of W in the source model.</summary>
    public required string Name { get; init; }

    /// <summary>How many tokens.</summary>
    public required int Tokens { get; init; }

    /// <summary>Length of an input.</summary>
    public required int InputWidth { get; init; }

    /// <summary>Length of an output.</summary>
    public required int OutputWidth { get; init; }

    /// <summary>X, [tokens, in].</summary>
    public required ReadOnlySpan<float> Inputs { get; init; }

    /// <summary>dY, [tokens, out].</summary>
    public required ReadOnlySpan<float> OutputGradients { get; init; }

    /// <summary>True if W is stored as [in, out], as GPT-2's are; otherwise it is [out, in].</summary>
    public required bool Transposed { get; init; }

    /// <summary>Rows of W as it is stored.</summary>
    public int Rows => Transposed ? InputWidth : OutputWidth;

    /// <summary>Columns of W as it is stored.</summary>
    public int Columns => Transposed ? OutputWidth : InputWidth;

    /// <summary>
    /// Computes dW. Bit-exact: the same floats on every machine and for any number of threads, since the order of additions depends on the number
    /// of tokens alone.
    /// </summary>
    /// <param name="gradient">Receives it in the form in which W is stored, [<see cref="Rows"/>, <see cref="Columns"/>].</param>
    /// <exception cref="ArgumentException"><paramref name="gradient"/> is of another length.</exception>
    public void Compute(Span<float> gradient)
    {
        if (gradient.Length != (long)Rows * Columns)
        {
            throw new ArgumentException($"{gradient.Length} floats for {Rows} × {Columns} gradients", nameof(gradient));
        }

        if (Transposed)
        {
            OuterProducts.Sum(Inputs, InputWidth, OutputGradients, OutputWidth, Tokens, gradient);
        }
        else
        {
            OuterProducts.Sum(OutputGradients, OutputWidth, Inputs, InputWidth, Tokens, gradient);
        }
    }
}
