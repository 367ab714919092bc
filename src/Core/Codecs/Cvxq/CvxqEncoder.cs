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
/// <param name="bits">Of codes.</param>
/// <param name="groupSize">Columns of a group.</param>
/// <param name="rotated">True for levels for normal weights, of rotated rows; false for the paper's.</param>
/// <param name="sensitivity">Where G² comes from.</param>
/// <param name="corrected">Rows of at least so many weights get a bias correction; null for none.</param>
/// <param name="seed">Of the rotation.</param>
internal sealed class CvxqEncoder(CodeBits bits, int groupSize, bool rotated, Sensitivity sensitivity, int? corrected, ulong seed) : IGroupEncoder
{
    private readonly Companding companding = rotated ? Companding.Normal : Companding.Laplace;

    public string Settings => string.Create(CultureInfo.InvariantCulture,
        $"{bits} groupSize={groupSize} quantizer={(rotated ? $"normal seed={seed}" : "laplace")} sensitivity={CvxqCodec.NameOf(sensitivity)}{(corrected is { } least ? $" biasCorrection={least}" : "")}");

    public StatisticKinds Needs => SensitivityMap.Needs(sensitivity) | (corrected is not null ? StatisticKinds.InputMeans : StatisticKinds.None);

    // Inputs alone say what errors of an output cost that output, not the model.
    public bool ComparesLayers => sensitivity is Sensitivity.Factored or Sensitivity.Gradients or Sensitivity.Hidden;

    // A header and the half of a scale.
    public int BytesPerGroup => 3;

    public IGroupEncoder WithCodeBits(long codeBits) => new CvxqEncoder(new(null, codeBits), groupSize, rotated, sensitivity, corrected, seed);

    public GroupCosts Groups(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken) =>
        Groups(new Source(weights, rotated, groupSize, seed, cancellationToken), statistics);

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        (int rows, int columns) = (weights.Rows, weights.Columns);
        var source = new Source(weights, rotated, groupSize, seed, cancellationToken);
        int groups = source.Groups, count = checked(rows * groups);
        var costs = Groups(source, statistics);
        byte[] depths = DepthAllocation.Choose(costs.Distortions, costs.Sizes, bits.For((double)rows * columns));
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
        var encoded = new EncodedTensor("cvxq", parameters,
        [
            new("codes", DType.U8, [stored.Length], stored.ToArray()),
            new("headers", DType.U8, [rows, groups], headers),
            scalePart,
            companding.Table,
        ]);

        // Nothing multiplies with the rows of a matrix that is stored transposed.
        return statistics is { InputMeans: { } means, Transposed: false } && columns >= corrected ? BiasCorrection.Add(encoded, weights, means, cancellationToken) : encoded;
    }

    private GroupCosts Groups(Source source, LayerStatistics? statistics)
    {
        (int rows, int groups) = (source.Rows, source.Groups);
        var map = new SensitivityMap(sensitivity, statistics, rows, source.Columns);
        double[] distortions = new double[checked(rows * groups)];
        int[] sizes = new int[distortions.Length];
        double unit = (double)source.Unit * source.Unit;
        source.ForEach((row, group, values) =>
        {
            int index = (row * groups) + group;
            sizes[index] = values.Length;
            distortions[index] = map.Mean(row, group * groupSize, values.Length) * GroupQuantizer.Moments(values).Variance * unit;
        });
        return new(distortions, sizes, map.IsKnown);
    }

    private delegate void GroupAction(int row, int group, ReadOnlySpan<float> values);

    /// <summary>The groups of a matrix in a unit in which the largest weight is near 1, rotated if asked to.</summary>
    private sealed class Source
    {
        private readonly WeightMatrix weights;
        private readonly Rotation? rotation;
        private readonly int groupSize;
        private readonly CancellationToken cancellationToken;

        public Source(WeightMatrix weights, bool rotated, int groupSize, ulong seed, CancellationToken cancellationToken)
        {
            (this.weights, this.groupSize, this.cancellationToken) = (weights, groupSize, cancellationToken);
            rotation = rotated && weights.Columns > 0 ? new Rotation(weights.Columns, groupSize, seed) : null;
            float largest = 0;
            RowReader.ForEach(weights, (_, values) =>
            {
                largest = values.IsEmpty ? largest : Math.Max(largest, Math.Abs(TensorPrimitives.MaxMagnitude(values)));
            }, cancellationToken);
            Unit = MathF.ScaleB(1, largest == 0 ? 0 : Math.Clamp(Math.ILogB(largest), -126, 126));
        }

        public int Rows => weights.Rows;

        public int Columns => weights.Columns;

        /// <summary>Groups of a row.</summary>
        public int Groups => (weights.Columns + groupSize - 1) / groupSize;

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
