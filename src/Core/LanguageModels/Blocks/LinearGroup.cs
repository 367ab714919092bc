namespace Compress.Core.LanguageModels.Blocks;

/// <summary>Linear layers that are applied to the same vectors, such as those for queries, keys and values. At least one.</summary>
internal sealed record LinearGroup(IReadOnlyList<Linear> Layers)
{
    public LinearGroup(params Linear[] layers)
        : this((IReadOnlyList<Linear>)layers)
    {
    }

    /// <summary>The layer whose name the group goes by: it is applied first.</summary>
    public Linear First => Layers[0];
}

internal sealed partial class Attention
{
    /// <summary>Its linear layers.</summary>
    public IEnumerable<LinearGroup> Groups => [new(projections), new(output)];
}

internal sealed partial class FeedForward
{
    /// <summary>Its linear layers.</summary>
    public IEnumerable<LinearGroup> Groups => [gate is null ? new(up) : new(up, gate), new(down)];
}

internal sealed partial class DecoderLayer
{
    /// <summary>Its linear layers.</summary>
    public IEnumerable<LinearGroup> Groups => [.. attention.Groups, .. feedForward.Groups];

    /// <summary>The names of all its tensors in the source model.</summary>
    public IEnumerable<string> TensorNames =>
        [.. attentionNorm.TensorNames, .. feedForwardNorm.TensorNames, .. Groups.SelectMany(group => group.Layers).SelectMany(linear => linear.TensorNames)];
}

internal sealed partial class Decoder
{
    /// <summary>All linear layers, stage by stage: <see cref="Embed"/>, each of <see cref="Layers"/>, <see cref="Finish"/>, <see cref="Head"/>.</summary>
    public IReadOnlyList<IReadOnlyList<LinearGroup>> Stages =>
    [
        ProjectIn is null ? [] : [new(ProjectIn)],
        .. Layers.Select(layer => layer.Groups.ToList()),
        ProjectOut is null ? [] : [new(ProjectOut)],
        [new(Head)],
    ];
}
