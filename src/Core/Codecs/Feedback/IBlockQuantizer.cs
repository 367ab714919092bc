namespace Compress.Core.Codecs.Feedback;

/// <summary>
/// What <see cref="ErrorFeedback"/> asks of a method: rounding a few weights at a time. Safe for several threads with different outputs.
/// </summary>
internal interface IBlockQuantizer
{
    /// <summary>Consecutive inputs that are rounded together: 1, or as many as a code stands for. The last block may have fewer.</summary>
    int Inputs { get; }

    /// <summary>
    /// Consecutive outputs that are rounded together: 1, or more where the matrix is stored as <c>[in, out]</c> and weights of several outputs share a code
    /// or a scale. The last block may have fewer.
    /// </summary>
    int Outputs { get; }

    /// <summary>Consecutive inputs that share a scale which may be fitted when all of them have been rounded; 0 if scales are fixed.</summary>
    int GroupInputs { get; }

    /// <summary>Chooses codes, and keeps them.</summary>
    /// <param name="output">The first output: a row of the matrix <c>[out, in]</c>.</param>
    /// <param name="input">The first input: a column.</param>
    /// <param name="target">What the weights, <c>[Outputs, Inputs]</c>, are to be rounded to: themselves, and the errors of others that they make up for.</param>
    /// <param name="rounded">Receives the weights as they are decoded.</param>
    void Quantize(int output, int input, ReadOnlySpan<double> target, Span<double> rounded);

    /// <summary>Multiplies the scale of a group.</summary>
    /// <param name="output">The output.</param>
    /// <param name="input">An input of the group.</param>
    /// <param name="factor">Positive.</param>
    void Rescale(int output, int input, double factor);
}

/// <summary>A quantizer that must see what several weights are to be rounded from before it rounds the first of them.</summary>
internal interface IStripPlanner
{
    /// <summary>Called before a strip of an output is rounded.</summary>
    /// <param name="output">The output.</param>
    /// <param name="inputs">The strip's inputs, in the order of rounding.</param>
    /// <param name="targets">What they are to be rounded to, but for what the errors of those before them in the strip will add.</param>
    void Plan(int output, ReadOnlySpan<int> inputs, ReadOnlySpan<double> targets);
}
