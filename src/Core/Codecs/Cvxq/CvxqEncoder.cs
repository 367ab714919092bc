using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Codecs.Entropy;
using Compress.Core.Models;
using Compress.Runtime.Codecs;
using Compress.Runtime.Codecs.Cvxq;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.Cvxq;

/// <summary>
/// CVXQ (Young, arXiv 2409.02026). The matrix is read for its largest weight, for clusters of rows if there are any, for the depths,
/// for scales and shifts, and for the codes, which are chosen with the scales as they are stored.
/// </summary>
/// <param name="bits">Of codes.</param>
/// <param name="groupSize">Weights of a group.</param>
/// <param name="clustered">True for groups of one column of a cluster of rows; false for parts of a row.</param>
/// <param name="rotated">True for levels for normal weights, of rotated rows; false for the paper's.</param>
/// <param name="sensitivity">Where G² comes from.</param>
/// <param name="corrected">Rows of at least so many weights get a bias correction, <see cref="CvxqCodec.AllRows"/> and with a budget also where errors are large; null for none.</param>
/// <param name="entropy">True to code the codes of each depth by their frequencies.</param>
/// <param name="seed">Of the rotation.</param>
internal sealed class CvxqEncoder(CodeBits bits, int groupSize, bool clustered, bool rotated, Sensitivity sensitivity, int? corrected, bool entropy, ulong seed) : IGroupEncoder
{
    private readonly Companding companding = rotated ? Companding.Normal : Companding.Laplace;

    public string Settings => string.Create(CultureInfo.InvariantCulture,
        $"{bits} groupSize={groupSize} quantizer={(rotated ? $"normal seed={seed}" : "laplace")} sensitivity={CvxqCodec.NameOf(sensitivity)}{(clustered ? " grouping=clusters" : "")}{(corrected is { } least ? $" biasCorrection={least}" : "")}{(entropy ? " entropy=true" : "")}");

    public StatisticKinds Needs => SensitivityMap.Needs(sensitivity) | (corrected is not null ? StatisticKinds.InputMeans : StatisticKinds.None);

    // Inputs alone say what errors of an output cost that output, not the model.
    public bool ComparesLayers => sensitivity is Sensitivity.Factored or Sensitivity.Gradients or Sensitivity.Hidden;

    // A header and the half of a scale.
    public int BytesPerGroup => 3;

    public IGroupEncoder WithCodeBits(long codeBits) => new CvxqEncoder(new(null, codeBits), groupSize, clustered, rotated, sensitivity, corrected, entropy, seed);

    public GroupCosts Groups(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        var map = Map(weights, statistics);
        return Costs(Source(weights, map, cancellationToken), map);
    }

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        var map = Map(weights, statistics);
        var source = Source(weights, map, cancellationToken);
        int groups = source.Groups, count = checked(source.Lines * groups);
        var costs = Costs(source, map);
        byte[] depths = DepthAllocation.Choose(costs.Distortions, costs.Sizes, bits.For((double)weights.Rows * weights.Columns));
        var quantizer = new GroupQuantizer(companding, search: !rotated);
        var forms = new GroupForm[count];
        source.ForEach((line, group, values) => forms[(line * groups) + group] = quantizer.Fit(values, depths[(line * groups) + group]));

        var scales = new ScaleWriter(Array.ConvertAll(forms, form => (float)Math.Min(form.Scale * source.Unit, float.MaxValue)));
        var stored = new MemoryStream();
        var byDepth = new MemoryStream[MixedMatrix.MaxDepth + 1];
        byte[] headers = new byte[count], codes = new byte[groupSize], packed = new byte[groupSize];
        source.ForEach((line, group, values) =>
        {
            int index = (line * groups) + group;
            var form = forms[index] with { Scale = Math.ScaleB(scales.Rounded[index], scales.Exponent) / source.Unit };
            headers[index] = (byte)(form.Depth | ((form.Shift + 8) << 4));
            if (form.Depth > 0)
            {
                for (int i = 0; i < values.Length; i++)
                {
                    codes[i] = (byte)quantizer.Code(values[i], form);
                }

                CodePacking.Pack(codes.AsSpan(0, values.Length), form.Depth, packed);
                var stream = entropy && values.Length == groupSize ? byDepth[form.Depth] ??= new() : stored;
                stream.Write(packed, 0, (int)CodePacking.RowBytes(values.Length, form.Depth));
            }
        });

        var parameters = new JsonObject { ["groupSize"] = groupSize, ["quantizer"] = rotated ? "normal" : "laplace" };
        if (rotated)
        {
            parameters["seed"] = seed;
        }

        var scalePart = scales.Write(parameters, source.Lines, groups);
        List<EncodedPart> parts =
        [
            new("codes", DType.U8, [stored.Length], stored.ToArray()),
            new("headers", DType.U8, [source.Lines, groups], headers),
            scalePart,
            companding.Table,
        ];
        if (entropy)
        {
            parameters[MixedMatrix.ByDepth] = true;
            parts.AddRange(byDepth.Index().Where(pair => pair.Item is not null).Select(pair => OfDepth(pair.Index, pair.Item)));
        }

        if (source.Clusters is { } clusters)
        {
            parameters["grouping"] = "clusters";
            if (groups > 1 && source.Lines > 0)
            {
                parts.Add(Clusters(clusters, groups));
            }
        }

        var encoded = new EncodedTensor("cvxq", parameters, parts);
        encoded = entropy ? EntropyCoding.Coded(encoded) : encoded;

        // A budget leaves large errors only where they matter little, and other layers' inputs nearly as they are.
        double maxError = corrected == CvxqCodec.AllRows || bits.PerWeight is null ? double.PositiveInfinity : BiasCorrection.MaxError;

        // Nothing multiplies with the rows of a matrix that is stored transposed.
        return statistics is { InputMeans: { } means, Transposed: false } && weights.Columns >= corrected ? BiasCorrection.Add(encoded, weights, means, maxError, cancellationToken) : encoded;
    }

    private EncodedPart OfDepth(int depth, MemoryStream codes)
    {
        int rowBytes = (int)CodePacking.RowBytes(groupSize, depth), rows = (int)(codes.Length / rowBytes);
        return new(MixedMatrix.CodesOf(depth), DType.U8, [rows, rowBytes], codes.ToArray()) { Codes = new(rows, groupSize, 1 << depth) };
    }

    private SensitivityMap Map(WeightMatrix weights, LayerStatistics? statistics) => new(sensitivity, statistics, weights.Rows, weights.Columns);

    private GroupSource Source(WeightMatrix weights, SensitivityMap map, CancellationToken cancellationToken) => clustered
        ? new ClusterGroups(weights, map, rotated, groupSize, seed, cancellationToken)
        : new RowGroups(weights, rotated, groupSize, seed, cancellationToken);

    private static GroupCosts Costs(GroupSource source, SensitivityMap map)
    {
        int groups = source.Groups;
        double[] distortions = new double[checked(source.Lines * groups)];
        int[] sizes = new int[distortions.Length];
        double unit = (double)source.Unit * source.Unit;
        source.ForEach((line, group, values) =>
        {
            int index = (line * groups) + group;
            sizes[index] = values.Length;
            distortions[index] = GroupQuantizer.Moments(values).Variance * unit;
        });
        source.ForEachMean(map, (line, group, mean) => distortions[(line * groups) + group] *= mean);
        return new(distortions, sizes, map.IsKnown);
    }

    private static EncodedPart Clusters(int[] clusters, int count)
    {
        var type = ClusteredTensor.ClusterType(count);
        int size = type.SizeInBytes();
        byte[] bytes = new byte[size * clusters.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(clusters[i / size] >> (8 * (i % size)));
        }

        return new(ClusteredTensor.ClustersPart, type, [clusters.Length], bytes);
    }
}
