using Compress.Core.Models;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.LowRank;

/// <summary>Factors that are stored element by element.</summary>
/// <param name="type">F32, F16 or BF16.</param>
internal sealed class KeptElements(DType type) : ICodec, ILayerEncoder
{
    public string Name => "keep";

    public string Summary => "elements in their own type or a narrower one";

    public int Version => 1;

    public bool PacksSingleWeights => true;

    public IReadOnlyList<Setting> Settings => [];

    string ILayerEncoder.Settings => type.Name();

    public ILayerEncoder Configure(SettingValues settings, ulong seed) => this;

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        RowReader.ForEach(weights, (_, values) => RoundedElements.Write(values, type, bytes), cancellationToken);
        return new("keep", [], [new("", type, [weights.Rows, weights.Columns], bytes.ToArray())]);
    }
}
