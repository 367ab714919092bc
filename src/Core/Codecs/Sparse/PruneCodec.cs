using Compress.Core.Pruning;

namespace Compress.Core.Codecs.Sparse;

/// <summary>A method on top of pruning: <c>prune</c> in a recipe, with the method that stands beside it; docs/codecs/prune.md.</summary>
/// <param name="prune">Which weights are kept.</param>
/// <param name="method">Packs them.</param>
internal sealed class PruneCodec(PruneSettings prune, ICodec method) : ICodec
{
    public string Name => "sparse";

    public string Summary => "weights that are zero are not stored";

    public int Version => 1;

    public IReadOnlyList<Setting> Settings => method.Settings;

    public ILayerEncoder Configure(SettingValues settings, ulong seed)
    {
        var encoder = method.Configure(settings, seed);
        if (encoder.Needs != StatisticKinds.None)
        {
            throw new SettingException("prune", $"method {method.Name} with these settings needs {Calibration.StatisticNames.Text(encoder.Needs, " and ")}, "
                + "which are known of a matrix and not of the weights that are kept of it; choose other settings");
        }

        foreach (var (name, ofRows) in new (string, object)[] { ("granularity", "channel"), ("shareRows", 1) })
        {
            if (settings.IsGiven(name) && (ofRows is int ? settings.Int(name) > 0 : settings.Text(name) == (string)ofRows))
            {
                throw new SettingException(name, "the weights that 'prune' keeps of a matrix are packed as one row, so that rows cannot have their own; choose another value, or remove it");
            }
        }

        return new SparseEncoder(prune, encoder, FormattableString.Invariant($"{method.Name}.{method.Version} {encoder.Settings}"));
    }
}
