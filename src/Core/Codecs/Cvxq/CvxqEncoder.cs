using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Compress.Core.Models;
using Compress.Runtime.Codecs;
using Compress.Runtime.Numerics;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>
/// CVXQ (Young, arXiv 2409.02026) with groups of consecutive columns of a row. The rows are read for their largest weight, for the depths,
/// for scales and shifts, and for the codes, which are chosen with the scales as they are stored.
/// </summary>
internal sealed class CvxqEncoder(double bits, int groupSize, bool rotated, Sensitivity sensitivity, ulong seed) : ILayerEncoder
{
    private readonly Companding companding = rotated ? Companding.Normal : Companding.Laplace;

    public string Settings => string.Create(CultureInfo.InvariantCulture,
        $"bits={bits} groupSize={groupSize} quantizer={(rotated ? $"normal seed={seed}" : "laplace")} sensitivity={CvxqCodec.NameOf(sensitivity)}");

    public StatisticKinds Needs => SensitivityMap.Needs(sensitivity);

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        (int rows, int columns) = (weights.Rows, weights.Columns);
        int groups = (columns + groupSize - 1) / groupSize, count = checked(rows * groups);
        var source = new Source(weights, rotated && columns > 0 ? new Rotation(columns, groupSize, seed) : null, groupSize, cancellationToken);
        var map = new SensitivityMap(sensitivity, statistics, rows, columns);
        double[] distortions = new double[count];
        int[] sizes = new int[count];
        source.ForEach((row, group, values) =>
        {
            int index = (row * groups) + group;
            sizes[index] = values.Length;
            distortions[index] = map.Mean(row, group * groupSize, values.Length) * GroupQuantizer.Moments(values).Variance;
        });

        byte[] depths = DepthAllocation.Choose(distortions, sizes, bits * rows * columns);
        var quantizer = new GroupQuantizer(companding, search: !rotated);
        var forms = new GroupForm[count];
        source.ForEach((row, group, values) => forms[(row * groups) + group] = quantizer.Fit(values, depths[(row * groups) + group]));

        var scales = new ScaleWriter(Array.ConvertAll(forms, form => (float)Math.Min(form.Scale * source.Unit, float.MaxValue)));
        var stored = new MemoryStream();
        byte[] headers = new byte[count], codes = new byte[groupSize], packed = new byte[groupSize];
        source.ForEach((row, group, values) =>
        {
            int index = (row * groups) + group;
            var form = forms[index] with { Scale = Math.ScaleB(scales.Rounded[index], scales.Exponent) / source.Unit };
            headers[index] = (byte)(form.Depth | ((form.Shift + 8) << 4));
            if (form.Depth > 0)
            {
                for (int i = 0; i < values.Length; i++)
                {
                    codes[i] = (byte)quantizer.Code(values[i], form);
                }

                CodePacking.Pack(codes.AsSpan(0, values.Length), form.Depth, packed);
                stored.Write(packed, 0, (int)CodePacking.RowBytes(values.Length, form.Depth));
            }
        });

        var parameters = new JsonObject { ["groupSize"] = groupSize, ["quantizer"] = rotated ? "normal" : "laplace" };
        if (rotated)
        {
            parameters["seed"] = seed;
        }

        var scalePart = scales.Write(parameters, rows, groups);
        return new("cvxq", parameters,
        [
            new("codes", DType.U8, [stored.Length], stored.ToArray()),
            new("headers", DType.U8, [rows, groups], headers),
            scalePart,
            companding.Table,
        ]);
    }

    private delegate void GroupAction(int row, int group, ReadOnlySpan<float> values);

    /// <summary>The groups of a matrix in a unit in which the largest weight is near 1, rotated if asked to.</summary>
    private sealed class Source
    {
        private readonly WeightMatrix weights;
        private readonly Rotation? rotation;
        private readonly int groupSize;
        private readonly CancellationToken cancellationToken;

        public Source(WeightMatrix weights, Rotation? rotation, int groupSize, CancellationToken cancellationToken)
        {
            (this.weights, this.rotation, this.groupSize, this.cancellationToken) = (weights, rotation, groupSize, cancellationToken);
            float largest = 0;
            RowReader.ForEach(weights, (_, values) =>
            {
                largest = values.IsEmpty ? largest : Math.Max(largest, Math.Abs(TensorPrimitives.MaxMagnitude(values)));
            }, cancellationToken);
            Unit = MathF.ScaleB(1, largest == 0 ? 0 : Math.Clamp(Math.ILogB(largest), -126, 126));
        }

        /// <summary>A power of two: the weights are this many times as large.</summary>
        public float Unit { get; }

        public void ForEach(GroupAction action) => RowReader.ForEach(weights, (row, values) =>
        {
            TensorPrimitives.Multiply(values, 1 / Unit, values);
            rotation?.Apply(values);
            for (int start = 0; start < values.Length; start += groupSize)
            {
                action(row, start / groupSize, values.Slice(start, Math.Min(groupSize, values.Length - start)));
            }
        }, cancellationToken);
    }
}
