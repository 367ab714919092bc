using System.Globalization;
using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Recipes;

namespace Compress.Core.Compression;

/// <summary>Brings one tensor through a codec, or through the cache.</summary>
internal static class EncodedLayer
{
    /// <summary>Takes the tensor from the store, or encodes it, measures its error by decoding it, and stores it.</summary>
    /// <returns>Null if the tensor has a value that is not finite and the recipe keeps such tensors.</returns>
    /// <exception cref="CompressException">The tensor has a value that is not finite and the recipe does not say what to do.</exception>
    public static (LayerEntry Entry, string Key, CacheUse Use)? Get(
        SourceTensor tensor, Treatment.Compress treatment, LayerStore store, bool force, bool keepNonFinite, CancellationToken cancellationToken)
    {
        string key = CacheKey.ForLayer(treatment.Codec, treatment.Encoder, tensor.DType, tensor.Shape, tensor.ContentHash());
        if (!force && store.TryRead(key) is { } cached)
        {
            return (cached, key, CacheUse.Hit);
        }

        if (NonFinite(tensor) is { } found)
        {
            return keepNonFinite ? null : throw new CompressException(found);
        }

        if (tensor.FirstBeyondFloat() is { } beyond)
        {
            throw new CompressException(Error(tensor, beyond, Codes.ModelValueOutOfRange,
                "codecs compute with 32-bit floats; keep this tensor with a rule 'keep: source'"));
        }

        var encoded = treatment.Encoder.Encode(tensor, cancellationToken);
        var error = ErrorSums.Measure(tensor, DecodedTensor.Open(encoded, tensor.DType, tensor.Shape), cancellationToken);
        tensor.ThrowIfChanged(); // The key is of the bytes that were hashed, which must be those that were encoded.
        return (store.Write(key, encoded, tensor.DType, tensor.Shape, error), key, CacheUse.Miss);
    }

    /// <summary>The error for a tensor that has a value that is not finite, or null.</summary>
    public static Diagnostic? NonFinite(SourceTensor tensor) =>
        tensor.FirstNonFinite() is { } odd
            ? Error(tensor, odd, Codes.ModelNonFinite,
                "mend the model, or set 'nonFinite: keep' in the recipe to store such tensors as they are")
            : null;

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
