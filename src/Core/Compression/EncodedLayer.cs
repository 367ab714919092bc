using System.Globalization;
using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>Brings one tensor through a codec, or through the cache.</summary>
internal static class EncodedLayer
{
    private static readonly TimeSpan WaitInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Takes the tensor from the store, or encodes it, measures its error by decoding it, and stores it.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="treatment">Its codec.</param>
    /// <param name="statistics">The statistics of layers; null if no layer of the model needs any.</param>
    /// <param name="store">Where it is looked up and stored.</param>
    /// <param name="force">True to encode it, whatever is in the store.</param>
    /// <param name="keepNonFinite">True to leave tensors alone that have a value that is not finite.</param>
    /// <param name="waiting">Called again and again while somebody else is encoding it; null to come back later instead.</param>
    /// <param name="progress">Told which part of it is encoded, where the encoder tells.</param>
    /// <param name="busy">True if somebody else is encoding it: to be asked for again.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>Null if the tensor is left alone, or <paramref name="busy"/>.</returns>
    /// <exception cref="CompressException">The tensor has a value that cannot be encoded.</exception>
    public static (LayerEntry Entry, LayerKey Key, CacheUse Use)? Get(
        SourceTensor tensor,
        Treatment.Compress treatment,
        IStatisticsSource? statistics,
        LayerStore store,
        bool force,
        bool keepNonFinite,
        Action? waiting,
        IProgress<double>? progress,
        out bool busy,
        CancellationToken cancellationToken)
    {
        busy = false;
        var key = Key(tensor, treatment, statistics);
        string name = store.NameOf(key);
        if (!force && store.TryRead(key) is { } cached)
        {
            return (cached, key, CacheUse.Hit);
        }

        IDisposable? turn;
        while (!store.TryLock(name, out turn))
        {
            if (waiting is null)
            {
                busy = true;
                return null;
            }

            waiting();
            cancellationToken.WaitHandle.WaitOne(WaitInterval);
            cancellationToken.ThrowIfCancellationRequested();
            if (!force && store.TryRead(key) is { } others)
            {
                return (others, key, CacheUse.Hit);
            }
        }

        using (turn)
        {
            // Whoever had the lock before may have encoded it.
            if (!force && store.Grows && store.TryRead(key) is { } done)
            {
                return (done, key, CacheUse.Hit);
            }

            if (NonFinite(tensor) is { } found)
            {
                return keepNonFinite ? null : throw new CompressException(found);
            }

            return (Encode(tensor, treatment, statistics, store, name, progress, cancellationToken), key, CacheUse.Miss);
        }
    }

    /// <summary>What determines the tensor's packed bytes. Reads all of it.</summary>
    public static LayerKey Key(SourceTensor tensor, Treatment.Compress treatment, IStatisticsSource? statistics) => LayerKey.Of(
        treatment.Codec, treatment.Encoder, tensor.DType, tensor.Shape, tensor.ContentHash(),
        treatment.Encoder.Needs == StatisticKinds.None ? "" : statistics!.Describe(new(tensor.Name, treatment.Encoder.Needs)));

    /// <summary>The error for a tensor that has a value that is not finite, or null.</summary>
    public static Diagnostic? NonFinite(SourceTensor tensor) =>
        tensor.FirstNonFinite() is { } odd
            ? Error(tensor, odd, Codes.ModelNonFinite,
                "mend the model, or set 'nonFinite: keep' in the recipe to store such tensors as they are")
            : null;

    private static LayerEntry Encode(
        SourceTensor tensor, Treatment.Compress treatment, IStatisticsSource? statistics, LayerStore store, string name,
        IProgress<double>? progress, CancellationToken cancellationToken)
    {
        if (tensor.FirstBeyondFloat() is { } beyond)
        {
            throw new CompressException(Error(tensor, beyond, Codes.ModelValueOutOfRange,
                "codecs compute with 32-bit floats; keep this tensor with a rule 'keep: source'"));
        }

        var known = treatment.Encoder.Needs == StatisticKinds.None ? null : statistics!.Read(new(tensor.Name, treatment.Encoder.Needs), cancellationToken);
        var encoded = treatment.Encoder.Encode(tensor, known, progress, cancellationToken);
        var error = ErrorSums.Measure(tensor, DecodedTensor.Open(encoded, tensor.DType, tensor.Shape), cancellationToken);
        if (!double.IsFinite(error.ErrorEnergy))
        {
            throw new CompressException(Codes.ModelValueOutOfRange,
                $"tensor '{tensor.Name}' has values so near the end of the range of 32-bit floats that codecs overflow; keep it with a rule 'keep: source'",
                tensor.File);
        }

        tensor.ThrowIfChanged(); // The key is of the bytes that were hashed, which must be those that were encoded.
        return store.Write(name, encoded, tensor.DType, tensor.Shape, error);
    }

    private static Diagnostic Error(SourceTensor tensor, OddValue odd, string code, string advice) =>
        new(code, Severity.Error, string.Create(CultureInfo.InvariantCulture,
            $"tensor '{tensor.Name}' has the value {Text(odd.Value)} at index {odd.Index}; {advice}"), tensor.File);

    private static string Text(double value) => value switch
    {
        double.NaN => "NaN",
        double.PositiveInfinity => "infinity",
        double.NegativeInfinity => "-infinity",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
