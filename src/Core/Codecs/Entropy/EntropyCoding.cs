using Compress.Core.Models;
using Compress.Runtime.Codecs.Entropy;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Entropy;

/// <summary>The setting <c>entropy</c> of every method whose codes are of one kind: in the file a code then takes as many bits as its frequency is worth; docs/entropy.md.</summary>
internal static class EntropyCoding
{
    private const string Name = "entropy";

    /// <summary>What recipes may say.</summary>
    public static Setting Declared { get; } =
        new(Name, "true: in the file, frequent codes take fewer bits than rare ones; they are unpacked when the tensor is opened.", false);

    /// <summary>The encoder, followed by entropy coding if the settings ask for it.</summary>
    public static ILayerEncoder Apply(ILayerEncoder encoder, SettingValues settings) => settings.Bool(Name) ? new Coder(encoder) : encoder;

    /// <summary>The tensor with all codes coded that take less room so.</summary>
    internal static EncodedTensor Coded(EncodedTensor tensor)
    {
        var parts = new List<EncodedPart>();
        var names = new List<string>();
        foreach (var part in tensor.Parts)
        {
            if (part.Codes is { } codes && AnsEncoder.Encode(part.Bytes, codes.Rows, codes.PerRow, codes.Values) is { } coded && coded.Length < part.Bytes.Length)
            {
                parts.Add(new(part.Name, DType.U8, [coded.Length], coded));
                names.Add(part.Name);
            }
            else
            {
                parts.Add(part);
            }
        }

        if (names.Count == 0)
        {
            return tensor;
        }

        var parameters = (System.Text.Json.Nodes.JsonObject)tensor.Parameters.DeepClone();
        parameters[Runtime.PackedFormat.EntropyKey] = string.Join(' ', names);
        return tensor with { Parameters = parameters, Parts = parts };
    }

    private sealed class Coder(ILayerEncoder encoder) : ILayerEncoder
    {
        public string Settings => encoder.Settings + " entropy=true";

        public StatisticKinds Needs => encoder.Needs;

        public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken) =>
            Encode(weights, statistics, null, cancellationToken);

        public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, IProgress<double>? progress, CancellationToken cancellationToken) =>
            Coded(encoder.Encode(weights, statistics, progress, cancellationToken));
    }
}
