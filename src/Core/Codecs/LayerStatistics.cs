namespace Compress.Core.Codecs;

/// <summary>What may be known of a linear layer <c>y = W x</c> from a calibration text; a method says which of it it needs.</summary>
[Flags]
public enum StatisticKinds
{
    /// <summary>Nothing: the weights alone.</summary>
    None = 0,

    /// <summary><see cref="LayerStatistics.InputSecondMoments"/>.</summary>
    InputSecondMoments = 1,

    /// <summary><see cref="LayerStatistics.InputMeans"/>.</summary>
    InputMeans = 2,

    /// <summary><see cref="LayerStatistics.SquaredGradients"/>.</summary>
    SquaredGradients = 4,

    /// <summary><see cref="LayerStatistics.OutputCovariance"/>.</summary>
    OutputCovariance = 8,

    /// <summary><see cref="LayerStatistics.HiddenGradients"/>.</summary>
    HiddenGradients = 16,

    /// <summary><see cref="LayerStatistics.OutputGradients"/>.</summary>
    OutputGradients = 32,
}

/// <summary>
/// Statistics of one linear layer <c>y = W x + b</c> over the tokens of a calibration text that the unquantized model was run on. What was not
/// asked for is null. Layers with the same inputs may share arrays: never write to them.
/// </summary>
public sealed record LayerStatistics
{
    /// <summary>The tokens that means are over. Those with inputs that are not finite are not counted.</summary>
    public required long Tokens { get; init; }

    /// <summary>
    /// True if the tensor that is encoded is Wᵀ, <c>[in, out]</c>, as in GPT-2: then the inputs belong to its rows, and squared gradients are
    /// <c>[in, out]</c> too.
    /// </summary>
    public bool Transposed { get; init; }

    /// <summary>True for a head, whose outputs are logits, that is not the embedding too.</summary>
    public bool IsOwnHead { get; init; }

    /// <summary><c>E[x xᵀ]</c>, not centred: <c>[in, in]</c>, row-major, symmetric to the bit.</summary>
    public double[]? InputSecondMoments { get; init; }

    /// <summary><c>E[x]</c>: <c>[in]</c>.</summary>
    public double[]? InputMeans { get; init; }

    /// <summary>
    /// The mean over predicted tokens of each weight's squared gradient, of the cross-entropy in nats: <c>[out, in]</c>, row-major, in the form in which the
    /// weights are stored. The diagonal of the empirical Fisher information: errors dW cost about ½ Σ G² dW² nats per token.
    /// </summary>
    public double[]? SquaredGradients { get; init; }

    /// <summary>
    /// The mean squared gradient of each weight, of principal components of the final hidden state, one at one token at a time: shaped as <see cref="SquaredGradients"/>.
    /// CVXQ's G² (Young, arXiv 2409.02026; as its code computes it). Null for the head, which the final hidden state does not depend on.
    /// </summary>
    public double[]? HiddenGradients { get; init; }

    /// <summary>The mean over tokens of each output's squared gradient, of the cross-entropy in nats: <c>[out]</c>.</summary>
    public double[]? OutputGradients { get; init; }

    /// <summary>The covariance of the outputs, <c>E[(y − E y)(y − E y)ᵀ]</c>: <c>[out, out]</c>, row-major, symmetric to the bit.</summary>
    public double[]? OutputCovariance { get; init; }
}
