namespace Compress.Core.Codecs.Feedback;

/// <summary>What <see cref="ErrorFeedback"/> asks of a method: rounding some inputs of one output at a time. Safe for several threads with different outputs.</summary>
internal interface IBlockQuantizer
{
    /// <summary>Consecutive inputs that are rounded together: 1, or as many as a code word has. The last block of an output may have fewer.</summary>
    int BlockSize { get; }

    /// <summary>Chooses codes, and keeps them.</summary>
    /// <param name="output">The output: a row of the matrix <c>[out, in]</c>.</param>
    /// <param name="input">The first input: a column.</param>
    /// <param name="target">What the weights are to be rounded to: themselves, and the errors of others that they make up for.</param>
    /// <param name="rounded">Receives the weights as they are decoded.</param>
    void Quantize(int output, int input, ReadOnlySpan<double> target, Span<double> rounded);
}
