using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Models;
using Compress.Runtime.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Uniform;

/// <summary>
/// Round to nearest. The rows are read once for the ranges, once more to narrow them if asked to, and once for the codes, which are
/// chosen with the scales as they are stored.
/// </summary>
internal sealed class UniformEncoder(int bits, bool symmetric, Granularity granularity, int groupSize, bool clip) : ILayerEncoder
{
    private readonly Levels levels = new(bits, symmetric);

    public string Settings
    {
        get
        {
            string group = granularity == Granularity.Group ? string.Create(CultureInfo.InvariantCulture, $" groupSize={groupSize}") : "";
            return string.Create(CultureInfo.InvariantCulture,
                $"bits={bits} symmetric={(symmetric ? "true" : "false")} granularity={GranularityName}{group} clip={(clip ? "mse" : "none")}");
        }
    }

    private string GranularityName => granularity switch
    {
        Granularity.Tensor => "tensor",
        Granularity.Channel => "channel",
        _ => "group",
    };

    public EncodedTensor Encode(WeightMatrix weights, CancellationToken cancellationToken)
    {
        var layout = new ScaleLayout(weights.Rows, weights.Columns, granularity, groupSize);
        var ranges = Ranges(weights, layout, cancellationToken);
        if (clip)
        {
            new ClipSearch(levels, layout).Narrow(weights, ranges, cancellationToken);
        }

        var scales = new ScaleWriter(Array.ConvertAll(ranges, levels.Scale));
        var lattices = Lattices(ranges, scales);
        byte[] codes = Codes(weights, layout, lattices, out int rowBytes, cancellationToken);

        var parameters = new JsonObject { ["bits"] = bits, ["symmetric"] = symmetric, ["granularity"] = GranularityName };
        if (granularity == Granularity.Group)
        {
            parameters["groupSize"] = groupSize;
        }

        List<EncodedPart> parts =
        [
            new("codes", DType.U8, [weights.Rows, rowBytes], codes),
            scales.Write(parameters, layout.Shape),
        ];
        if (!symmetric)
        {
            byte[] zeros = new byte[CodePacking.RowBytes(lattices.Length, bits)];
            CodePacking.Pack(Array.ConvertAll(lattices, lattice => (byte)lattice.Zero), bits, zeros);
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

    /// <summary>The levels as a decoder sees them, in the unit of the stored halves.</summary>
    private Lattice[] Lattices(ValueRange[] ranges, ScaleWriter scales)
    {
        // Where that unit is no float, the halves make up for it.
        int power = Math.Clamp(scales.Exponent, -126, 126);
        float unit = MathF.ScaleB(1, -power), halfUnit = MathF.ScaleB(1, scales.Exponent - power);
        var lattices = new Lattice[ranges.Length];
        for (int i = 0; i < lattices.Length; i++)
        {
            float scale = (float)scales.Halves[i] * halfUnit;
            lattices[i] = new(unit, scale, levels.Zero(ranges[i].Low * unit, scale), levels.Last);
        }

        return lattices;
    }

    private byte[] Codes(WeightMatrix weights, ScaleLayout layout, Lattice[] lattices, out int rowBytes, CancellationToken cancellationToken)
    {
        int packedRow = rowBytes = checked((int)CodePacking.RowBytes(weights.Columns, bits));
        byte[] packed = new byte[checked((long)weights.Rows * packedRow)];
        byte[] codes = new byte[weights.Columns];
        RowReader.ForEach(weights, (row, values) =>
        {
            for (int group = 0; group < layout.PerRow; group++)
            {
                var (start, length) = (layout.Start(group), layout.Length(group));
                lattices[layout.Index(row, group)].Quantize(values.Slice(start, length), codes.AsSpan(start, length));
            }

            CodePacking.Pack(codes, bits, packed.AsSpan(row * packedRow, packedRow));
        }, cancellationToken);
        return packed;
    }
}
