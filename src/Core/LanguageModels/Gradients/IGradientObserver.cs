namespace Compress.Core.LanguageModels.Gradients;

/// <summary>
/// Is given the gradients of a backward pass while they are there, from the last layer to the first, one call at a time. What it is given is
/// valid during the call alone, so that the gradients of all layers are never held at once.
/// </summary>
public interface IGradientObserver
{
    /// <summary>The gradient of a linear layer's weights, as the two factors that it is the product of.</summary>
    void OnLinear(in LinearGradient gradient);

    /// <summary>The gradient of a vector: a bias, or the weights or biases of a norm. For an observer of linear layers alone, nothing to do.</summary>
    /// <param name="name">The tensor's name in the source model.</param>
    /// <param name="gradient">As long as the vector.</param>
    void OnVector(string name, ReadOnlySpan<float> gradient)
    {
    }

    /// <summary>
    /// The gradient of an embedding: of row <c>rows[t]</c>, the sum of all lines t that name it. An embedding that is tied to the head gets the
    /// head's gradient besides, through <see cref="OnLinear"/>.
    /// </summary>
    /// <param name="name">The tensor's name in the source model.</param>
    /// <param name="rows">[tokens].</param>
    /// <param name="gradients">[tokens, width].</param>
    void OnRows(string name, ReadOnlySpan<int> rows, ReadOnlySpan<float> gradients)
    {
    }
}
