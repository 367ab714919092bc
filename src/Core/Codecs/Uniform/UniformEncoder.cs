using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Codecs.Feedback;
using Compress.Core.Models;
using Compress.Runtime.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Uniform;

/// <summary>
/// Round to nearest. The rows are read once for the ranges, once more to narrow them if asked to, and once for the codes, which are
/// chosen with the scales as they are stored; with feedback if the layer's inputs are known.
/// </summary>
internal sealed class UniformEncoder(
    int bits, bool symmetric, Granularity granularity, int groupSize, bool clip, FeedbackSettings? feedback) : ILayerEncoder
{
    private readonly Levels levels = new(bits, symmetric);

    public string Settings
    {
        get
        {
            string group = granularity == Granularity.Group ? string.Create(CultureInfo.InvariantCulture, $" groupSize={groupSize}") : "";
            return string.Create(CultureInfo.InvariantCulture,
                $"bits={bits} symmetric={(symmetric ? "true" : "false")} granularity={GranularityName}{group} clip={(clip ? "mse" : "none")}")
                + (feedback is null ? "" : " " + feedback);
        }
    }

    public StatisticKinds Needs => feedback is null ? StatisticKinds.None : StatisticKinds.InputSecondMoments;

    private string GranularityName => granularity switch
    {
        Granularity.Tensor => "tensor",
        Granularity.Channel => "channel",
        _ => "group",
    };

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        var layout = new ScaleLayout(weights.Rows, weights.Columns, granularity, groupSize);
        var ranges = Ranges(weights, layout, cancellationToken);
        if (clip)
        {
            new ClipSearch(levels, layout).Narrow(weights, ranges, cancellationToken);
        }

        var scales = new ScaleWriter(Array.ConvertAll(ranges, levels.Scale));
        var stored = new StoredLevels(levels, scales, ranges);
        int rowBytes = checked((int)CodePacking.RowBytes(weights.Columns, bits));
        byte[] codes = feedback is not null && statistics?.InputSecondMoments is { } moments
            ? FedBackCodes(weights, layout, stored, moments, statistics.Transposed, rowBytes, cancellationToken)
            : Codes(weights, layout, stored, rowBytes, cancellationToken);

        var parameters = new JsonObject { ["bits"] = bits, ["symmetric"] = symmetric, ["granularity"] = GranularityName };
        if (granularity == Granularity.Group)
        {
            parameters["groupSize"] = groupSize;
        }

        List<EncodedPart> parts =
        [
            new("codes", DType.U8, [weights.Rows, rowBytes], codes) { Codes = new(weights.Rows, weights.Columns, 1 << bits) },
            scales.Write(parameters, layout.Shape),
        ];
        if (!symmetric)
        {
            byte[] zeros = new byte[CodePacking.RowBytes(layout.Count, bits)];
            CodePacking.Pack(stored.Zeros, bits, zeros);
            parts.Add(new("zeros", DType.U8, [zeros.Length], zeros));
        }

        return new("uniform", parameters, parts);
    }

    private static ValueRange[] Ranges(WeightMatrix weights, ScaleLayout layout, CancellationToken cancellationToken)
    {
        var ranges = new ValueRange[layout.Count];
        RowReader.ForEach(weights, (row, values) =>
        {
            for (int group = 0; group < layout.PerRow; group++)
            {
                int index = layout.Index(row, group);
                ranges[index] = ranges[index].With(values.Slice(layout.Start(group), layout.Length(group)));
            }
        }, cancellationToken);
        return ranges;
    }

    private byte[] Codes(WeightMatrix weights, ScaleLayout layout, StoredLevels stored, int rowBytes, CancellationToken cancellationToken)
    {
        byte[] packed = new byte[checked((long)weights.Rows * rowBytes)];
        byte[] codes = new byte[weights.Columns];
        RowReader.ForEach(weights, (row, values) =>
        {
            for (int group = 0; group < layout.PerRow; group++)
            {
                var (start, length) = (layout.Start(group), layout.Length(group));
                stored.Lattices[layout.Index(row, group)].Quantize(values.Slice(start, length), codes.AsSpan(start, length));
            }

            CodePacking.Pack(codes, bits, packed.AsSpan(row * rowBytes, rowBytes));
        }, cancellationToken);
        return packed;
    }

    private byte[] FedBackCodes(
        WeightMatrix weights, ScaleLayout layout, StoredLevels stored, double[] moments, bool transposed, int rowBytes, CancellationToken cancellationToken)
    {
        byte[][] codes = new byte[weights.Rows][];
        for (int row = 0; row < codes.Length; row++)
        {
            codes[row] = new byte[weights.Columns];
        }

        var factor = SharedFactors.Instance.Get(moments, transposed ? weights.Rows : weights.Columns, 1, 0, feedback!, cancellationToken);
        ErrorFeedback.Quantize(factor, weights, transposed, new LatticeQuantizer(stored, layout, codes, transposed), cancellationToken);
        byte[] packed = new byte[checked((long)weights.Rows * rowBytes)];
        for (int row = 0; row < codes.Length; row++)
        {
            CodePacking.Pack(codes[row], bits, packed.AsSpan(row * rowBytes, rowBytes));
        }

        return packed;
    }
}
