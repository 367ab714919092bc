using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Emit;
using Compress.Core.LanguageModels;
using Compress.Core.Models;

namespace Compress.Core.Recovery;

/// <summary>
/// Trains each block of a packed model to give what the source's block gives, the first block first (AQLM: Egiazarian et al., arXiv 2401.06118, section 3.4). A block's input comes from the packed
/// blocks before it as they were trained; what it should give, from the source alone: AQLM gives the source's block the same input, which was worse (docs/recover.md). Each block's result is a cache
/// entry of its own.
/// </summary>
/// <param name="source">The source.</param>
/// <param name="packed">The model with all tensors in packed form; it gets those that are trained.</param>
/// <param name="model">The source's file.</param>
/// <param name="store">Where results are kept.</param>
/// <param name="settings">How.</param>
/// <param name="windows">Tokens.</param>
/// <param name="text">What they follow from.</param>
internal sealed class BlockRecovery(
    LanguageModel source, LanguageModel packed, ModelFile model, LayerStore store, RecoverySettings settings, RecoveryWindows windows, string text)
{
    private readonly BlockSettings how = settings.Blocks!;

    /// <summary>What it did to each block.</summary>
    public List<BlockReport> Reports { get; } = [];

    /// <summary>Trains, or takes what was trained before.</summary>
    /// <param name="results">All tensors of the model.</param>
    /// <param name="digest">Of the source.</param>
    /// <param name="force">True to train anew.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The tensors with what was trained.</returns>
    public TensorResult[] Run(TensorResult[] results, string digest, bool force, IProgress<RecoveryProgress>? progress, CancellationToken cancellationToken)
    {
        var trained = results.ToDictionary(result => result.Entry.Name, StringComparer.Ordinal);
        var blocks = packed.Decoder.Layers.Select(layer => layer.TensorNames.Where(trained.ContainsKey).ToList()).ToList();
        var inBlocks = blocks.SelectMany(names => names).ToHashSet(StringComparer.Ordinal);
        string chain = LayerKey.DigestOf([digest, .. results.Where(result => !inBlocks.Contains(result.Entry.Name)).SelectMany(Words)]);
        BlockStreams? streams = null;
        double seconds = 0;
        for (int i = 0; i < blocks.Count; i++)
        {
            int block = i;
            var set = new TrainableSet([.. blocks[i].Select(name => TrainableTensors.Of(trained[name].Entry, model[name])).OfType<Trainable>()]);
            chain = LayerKey.DigestOf([chain, .. blocks[i].SelectMany(name => Words(trained[name]))]);
            var stored = new StoredTraining(store, $"{how} block={i}", chain, text, set.Count);
            var state = force || set.Count == 0 ? null : stored.Done;
            if (state is null && set.Count > 0)
            {
                streams ??= new(source, packed, windows, (long)how.Steps * RecoverySettings.Batch);
                streams.MoveTo(i, cancellationToken);
                var time = how.Time is { } all ? (all - TimeSpan.FromSeconds(seconds)) / (blocks.Count - i) : (TimeSpan?)null;
                var training = new Training(set, new BlockOutputs(packed, i, set, streams, settings.On.Seed), how.Steps, how.LearningRate, time);
                state = stored.Run(
                    training, force, (step, loss) => progress?.Report(new((block * how.Steps) + step, blocks.Count * how.Steps, loss, block + 1, blocks.Count)), cancellationToken);
            }

            if (state is not null)
            {
                set.UseStored(packed, state.Best);
                seconds += state.Seconds;
                chain = LayerKey.DigestOf([chain, state.Digest]);
                foreach (var entry in set.Stored(state.Best))
                {
                    trained[entry.Name] = trained[entry.Name] with { Entry = entry, Recovered = chain };
                }
            }

            Reports.Add(new(state?.Step ?? 0, state?.BestStep ?? 0, state?.LossBefore ?? 0, state?.LossBest ?? 0));
        }

        return [.. results.Select(result => trained[result.Entry.Name])];
    }

    private static string[] Words(TensorResult result) => [result.Entry.Name, result.Key.Digest];
}
