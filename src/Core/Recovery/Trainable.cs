using Compress.Core.Emit;

namespace Compress.Core.Recovery;

/// <summary>
/// What is continuous in a packed tensor: numbers on which its weights depend, while codes stay as they are. Weights are linear in each of them.
/// Everything is bit-exact: the same on every machine and for any number of threads.
/// </summary>
internal abstract class Trainable
{
    /// <summary>The packed tensor.</summary>
    public required PackedEntry Entry { get; init; }

    /// <summary>The numbers as they are stored.</summary>
    public abstract float[] Start { get; }

    /// <summary>Of each number its size: what a learning rate of 1 would change it by. 0 for those that stay.</summary>
    public abstract float[] Units { get; }

    /// <summary>Weights of the tensor.</summary>
    public abstract int WeightCount { get; }

    /// <summary>The weights that numbers stand for.</summary>
    /// <param name="values">As many as <see cref="Start"/>.</param>
    /// <param name="weights">Receives [rows, columns].</param>
    public abstract void Weights(ReadOnlySpan<float> values, Span<float> weights);

    /// <summary>From the gradient of the weights to that of the numbers.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="weights">The gradient of the weights, [rows, columns].</param>
    /// <param name="gradient">It is added to it.</param>
    public abstract void AddGradient(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, Span<float> gradient);

    /// <summary>The arrays that hold the numbers, by their full names, with these in the place of those that they hold; rounded to the type of the arrays.</summary>
    public abstract IEnumerable<(string Array, byte[] Bytes)> Write(ReadOnlySpan<float> values);
}
