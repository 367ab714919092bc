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
        byte[] codes = Codes(weights, layout, stored, out int rowBytes, cancellationToken);

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

    private byte[] Codes(WeightMatrix weights, ScaleLayout layout, StoredLevels stored, out int rowBytes, CancellationToken cancellationToken)
    {
        int packedRow = rowBytes = checked((int)CodePacking.RowBytes(weights.Columns, bits));
        byte[] packed = new byte[checked((long)weights.Rows * packedRow)];
        byte[] codes = new byte[weights.Columns];
        RowReader.ForEach(weights, (row, values) =>
        {
            for (int group = 0; group < layout.PerRow; group++)
            {
                var (start, length) = (layout.Start(group), layout.Length(group));
                stored.Lattice(layout.Index(row, group)).Quantize(values.Slice(start, length), codes.AsSpan(start, length));
            }

            CodePacking.Pack(codes, bits, packed.AsSpan(row * packedRow, packedRow));
        }, cancellationToken);
        return packed;
    }

    /// <summary>The levels as a decoder sees them, in the unit of the stored halves.</summary>
    private sealed class StoredLevels
    {
        private readonly Levels levels;
        private readonly ScaleWriter scales;
        private readonly byte[] zeros;
        private readonly float unit;
        private readonly float halfUnit;

        public StoredLevels(Levels levels, ScaleWriter scales, ValueRange[] ranges)
        {
            (this.levels, this.scales) = (levels, scales);

            // Where the unit's power of two is no float, the halves make up for it.
            int power = Math.Clamp(scales.Exponent, -126, 126);
            (unit, halfUnit) = (MathF.ScaleB(1, -power), MathF.ScaleB(1, scales.Exponent - power));
            zeros = new byte[ranges.Length];
            for (int i = 0; i < zeros.Length; i++)
            {
                zeros[i] = (byte)levels.Zero(ranges[i].Low * unit, Scale(i));
            }
        }

        public ReadOnlySpan<byte> Zeros => zeros;

        public Lattice Lattice(int index) => new(unit, Scale(index), zeros[index], levels.Last);

        private float Scale(int index) => scales.Rounded[index] * halfUnit;
    }
}
