using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Models;
using Compress.Runtime.Codecs.Hashed;

namespace Compress.Core.Codecs.Hashed;

/// <summary>The method <c>hashed</c>; docs/codecs/hashed.md.</summary>
internal sealed class HashedCodec : ICodec
{
    public string Name => "hashed";

    public string Summary => "a hash says which weights share a value, and nothing else is stored (HashedNets, arXiv 1504.04788); only with recover";

    public int Version => 1;

    public string OnlyWithRecovery => "weights share values by chance, and all but one part in 'share' of them is lost";

    public IReadOnlyList<Setting> Settings { get; } = [new("share", "Weights that share a value, on average.", 8, 2, 1024)];

    public ILayerEncoder Configure(SettingValues settings, ulong seed) => new HashedEncoder(settings.Int("share"), seed);
}

/// <summary>Each value is the mean of the weights that have it, with their signs: the least squared error that the hash allows. Weights are read once.</summary>
/// <param name="share">Weights of a value, on average.</param>
/// <param name="seed">Of the hash.</param>
internal sealed class HashedEncoder(int share, ulong seed) : ILayerEncoder
{
    public string Settings => string.Create(CultureInfo.InvariantCulture, $"share={share} seed={seed}");

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        long count = (long)weights.Rows * weights.Columns;
        double[] sums = new double[(count + share - 1) / share];
        int[] members = new int[sums.Length];
        uint hashSeed = HashedTensor.SeedOf(seed);
        RowReader.ForEach(weights, (row, values) =>
        {
            uint rowHash = HashedTensor.RowHash(hashSeed, row);
            for (int column = 0; column < values.Length; column++)
            {
                uint hash = HashedTensor.Hash(rowHash, column);
                int index = HashedTensor.Index(hash, sums.Length);
                sums[index] += HashedTensor.IsNegative(hash) ? -values[column] : values[column];
                members[index]++;
            }
        }, cancellationToken);

        var means = sums.Zip(members, (sum, number) => number == 0 ? 0 : (float)(sum / number)).ToArray();
        var parameters = new JsonObject { ["seed"] = seed, ["values"] = sums.Length };
        return new("hashed", parameters, [new ScaleWriter(means).Write(parameters, "values", "scaleExponent", sums.Length)]);
    }
}
