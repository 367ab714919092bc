using System.Globalization;
using Compress.Core.Caching;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recovery;

/// <summary>A training whose result is a cache entry, and its state now and then another: one that was ended goes on where it was.</summary>
/// <param name="store">Where entries are.</param>
/// <param name="settings">How it trains, in words <c>name=value</c>.</param>
/// <param name="model">The digest of all that is trained, and of all that it depends on.</param>
/// <param name="text">What it is trained on, in words.</param>
/// <param name="count">How many numbers it trains.</param>
internal sealed class StoredTraining(LayerStore store, string settings, string model, string text, int count)
{
    private const int Version = 1; // raised when the same settings give other numbers

    /// <summary>The key of the result.</summary>
    public LayerKey Key => At("done");

    /// <summary>The result, if it is there.</summary>
    public RecoveryState? Done => Read(Key);

    /// <summary>Trains.</summary>
    /// <param name="training">How.</param>
    /// <param name="force">True to begin anew.</param>
    /// <param name="progress">Told after each step: steps done and the least loss.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public RecoveryState Run(Training training, bool force, Action<int, double>? progress, CancellationToken cancellationToken)
    {
        var state = training.Run(force ? null : Latest(training), now => Write(At(now.Step), now), progress, cancellationToken);
        Write(Key, state);
        return state;
    }

    private RecoveryState? Latest(Training training) => Enumerable.Range(1, training.Steps / training.Interval).Reverse()
        .Select(i => Read(At(i * training.Interval))).FirstOrDefault(found => found is not null);

    private LayerKey At(int step) => At(step.ToString(CultureInfo.InvariantCulture));

    private LayerKey At(string what) => new(RecoveryState.Codec, Version, $"{settings} at={what}", nameof(DType.F32), "", model, text);

    private RecoveryState? Read(LayerKey key) => store.TryRead(key) is { } entry ? RecoveryState.Of(entry, count) : null;

    private void Write(LayerKey key, RecoveryState state) => store.Write(store.NameOf(key), state.Entry(), DType.F32, [], default);
}
