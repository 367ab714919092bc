using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Models;
using Compress.Runtime.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Codecs.KMeans;

/// <summary>Finds the values that weights share, and gives each weight the nearest. The rows are read twice: for the values, and for the codes, which are chosen with the values as they are stored.</summary>
internal sealed class KMeansEncoder(int bits, int shareRows, bool lloyd, Weighting weighting) : ILayerEncoder
{
    public string Settings => string.Create(CultureInfo.InvariantCulture,
        $"bits={bits} shareRows={shareRows} clustering={(lloyd ? "lloyd" : "optimal")} weighting={WeightingName}");

    public StatisticKinds Needs => weighting switch
    {
        Weighting.Inputs => StatisticKinds.InputSecondMoments,
        Weighting.Gradients => StatisticKinds.SquaredGradients,
        _ => StatisticKinds.None,
    };

    private string WeightingName => weighting switch
    {
        Weighting.Inputs => "inputs",
        Weighting.Gradients => "gradients",
        _ => "none",
    };

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        int share = shareRows == 0 ? Math.Max(weights.Rows, 1) : shareRows;
        var tables = Tables(weights, new(weighting, statistics, weights.Columns), share, cancellationToken);
        int rowBytes = checked((int)CodePacking.RowBytes(weights.Columns, bits));
        byte[] packed = new byte[checked((long)weights.Rows * rowBytes)], codes = new byte[weights.Columns];
        RowReader.ForEach(weights, (row, values) =>
        {
            tables[row / share].Nearest(values, codes);
            CodePacking.Pack(codes, bits, packed.AsSpan(row * rowBytes, rowBytes));
        }, cancellationToken);

        var parameters = new JsonObject { ["bits"] = bits, ["shareRows"] = share };
        return new("kmeans", parameters,
        [
            new("codes", DType.U8, [weights.Rows, rowBytes], packed) { Codes = new(weights.Rows, weights.Columns, 1 << bits) },
            new ScaleWriter([.. tables.Select(table => table.Scale)]).Write(parameters, tables.Count),
            new("values", ValueTable.StoredType(bits), [tables.Count, 1 << bits], [.. tables.SelectMany(table => table.Bytes)]),
        ]);
    }

    private List<ValueTable> Tables(WeightMatrix weights, ErrorWeights errorWeights, int share, CancellationToken cancellationToken)
    {
        var tables = new List<ValueTable>();
        AtomCollector? collector = null;
        RowReader.ForEach(weights, (row, values) =>
        {
            collector ??= new(Math.Min(weights.Rows, share) * (long)weights.Columns);
            collector.Add(values, errorWeights.OfRow(row));
            if ((row + 1) % share == 0 || row + 1 == weights.Rows)
            {
                var atoms = collector.Take(1 << bits, out bool keepsZero);
                int free = (1 << bits) - (keepsZero ? 1 : 0);
                double[] centres = lloyd ? LloydClustering.Centres(atoms, free, cancellationToken) : OptimalClustering.Centres(atoms, free, cancellationToken);
                tables.Add(new(keepsZero ? [0, .. centres] : centres, bits));
            }
        }, cancellationToken);
        return tables;
    }
}
