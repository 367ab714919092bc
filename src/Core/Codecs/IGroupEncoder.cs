using Compress.Core.Models;

namespace Compress.Core.Codecs;

/// <summary>
/// An encoder that spreads bits over groups of weights, and can say what these cost: so a budget can be spread over the groups of all layers at once.
/// </summary>
public interface IGroupEncoder : ILayerEncoder
{
    /// <summary>True if costs of groups in different layers are in one unit.</summary>
    bool ComparesLayers { get; }

    /// <summary>What is stored of a group besides its codes, in bytes.</summary>
    int BytesPerGroup { get; }

    /// <summary>The groups of a layer.</summary>
    /// <param name="weights">As in <see cref="ILayerEncoder.Encode(WeightMatrix, LayerStatistics?, CancellationToken)"/>.</param>
    /// <param name="statistics">As in <see cref="ILayerEncoder.Encode(WeightMatrix, LayerStatistics?, CancellationToken)"/>.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    GroupCosts Groups(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken);

    /// <summary>The same encoder with so many bits for all codes of the layer together.</summary>
    IGroupEncoder WithCodeBits(long bits);
}

/// <summary>The groups of a layer, in the order in which they are stored.</summary>
/// <param name="Distortions">What a weight of each group costs without bits; each bit divides it by four.</param>
/// <param name="Sizes">Weights of each group.</param>
/// <param name="Known">False if nothing says how much the layer's outputs matter: costs are then comparable within the layer only.</param>
public sealed record GroupCosts(double[] Distortions, int[] Sizes, bool Known);
