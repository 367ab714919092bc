using Compress.Core.Models;

namespace Compress.Core.Codecs;

/// <summary>
/// A compression method as recipes name it. Adding one adds a folder here, a folder in Runtime/Codecs, a row to
/// <see cref="CodecTable"/>, a row to the Runtime's decoder table, and a page in docs/codecs.
/// </summary>
public interface ICodec
{
    /// <summary>The name in recipes: <c>higgs</c>.</summary>
    string Name { get; }

    /// <summary>One line for <c>compress init</c> and the schema.</summary>
    string Summary { get; }

    /// <summary>Raised whenever the same settings and weights give other bytes than before: old cache entries are then not used.</summary>
    int Version { get; }

    /// <summary>The settings that recipes may give it.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>True if each weight has a code by itself, or none: so it can pack those weights of a matrix that <c>prune</c> keeps. The tensor that it writes can be unpacked in parts.</summary>
    bool PacksSingleWeights => false;

    /// <summary>Why it is of no use without the stage <c>recover</c>, in one clause; null of methods that are.</summary>
    string? OnlyWithRecovery => null;

    /// <summary>An encoder for settings that have passed their types and bounds.</summary>
    /// <param name="settings">Every setting, its default where the recipe is silent.</param>
    /// <param name="seed">The recipe's seed.</param>
    /// <exception cref="SettingException">Settings that do not go together.</exception>
    ILayerEncoder Configure(SettingValues settings, ulong seed);
}

/// <summary>Encodes tensors with fixed settings. Safe for several threads.</summary>
public interface ILayerEncoder
{
    /// <summary>
    /// The canonical text of every setting that can change a byte of the output; a part of the cache key.
    /// Two encoders with the same text give the same bytes.
    /// </summary>
    string Settings { get; }

    /// <summary>What it must know of a layer besides its weights.</summary>
    StatisticKinds Needs => StatisticKinds.None;

    /// <summary>
    /// Encodes a matrix whose values are all finite. The result depends on the weights, the statistics and <see cref="Settings"/> alone:
    /// not on the CPU, the number of threads, or anything else of the machine.
    /// </summary>
    /// <param name="weights">The weights, <c>[out, in]</c>.</param>
    /// <param name="statistics">
    /// At least what <see cref="Needs"/> says, of a layer of this shape. Null if that is nothing, and for tensors that the model multiplies with
    /// nothing, such as embeddings: their rows are looked up, so that the errors of all elements count alike.
    /// </param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken);

    /// <summary>The same, telling how far it is. For encoders that one layer may take minutes; the others tell nothing.</summary>
    /// <param name="weights">As above.</param>
    /// <param name="statistics">As above.</param>
    /// <param name="progress">Told now and then which part of the work is done, from 0 to 1, never less than before.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, IProgress<double>? progress, CancellationToken cancellationToken) =>
        Encode(weights, statistics, cancellationToken);
}
