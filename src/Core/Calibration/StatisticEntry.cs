using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Calibration;

/// <summary>One statistic of one input as an entry of the layer cache.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Tokens">Tokens that were counted.</param>
/// <param name="Skipped">Tokens that were left out.</param>
internal sealed record StatisticEntry(LayerEntry Entry, long Tokens, long Skipped)
{
    private const string Codec = "statistics", Part = "values", TokensKey = "tokens", SkippedKey = "skipped";

    // To be counted up when the same text gives other statistics than before.
    private const int Version = 1;

    /// <summary>The widest input whose second moments fit into an array.</summary>
    public const int MaxWidth = 23_170; // √(2³¹ bytes / 4)

    /// <summary>True if so many floats fit into an array of bytes.</summary>
    public static bool Fits(long[] shape) => shape.Aggregate(1L, (product, side) => product * side) <= Array.MaxLength / sizeof(float);

    /// <summary>What determines a statistic.</summary>
    /// <param name="kind">Its name.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="model">The digest of the model.</param>
    /// <param name="owner">Whose it is: <c>input=</c> and the first of the layers that have this input, or <c>layer=</c> and its name.</param>
    /// <param name="text">What the windows of tokens follow from.</param>
    public static LayerKey Key(string kind, long[] shape, string model, string owner, string text) => new(
        Codec, Version, kind, DType.F32.Name(), string.Join(',', shape.Select(side => side.ToString(CultureInfo.InvariantCulture))), model, $"{owner} {text}");

    /// <summary>What determines the statistics of a layer, in words for its key.</summary>
    public static string Describe(StatisticNeed need, string model, string input, string text)
    {
        string layer = (need.Kinds & ~StatisticNames.OfInputs) == StatisticKinds.None ? "" : $" layer={need.Tensor}";
        return string.Create(CultureInfo.InvariantCulture, $"version={Version} kinds={StatisticNames.Text(need.Kinds, "+")} input={input}{layer} model={model} {text}");
    }

    /// <summary>Stores a statistic.</summary>
    public static StatisticEntry Write(LayerStore store, LayerKey key, long[] shape, float[] values, long tokens, long skipped)
    {
        var encoded = new EncodedTensor(
            Codec,
            new JsonObject { [TokensKey] = tokens, [SkippedKey] = skipped },
            [new(Part, DType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray())]);
        return new(store.Write(store.NameOf(key), encoded, DType.F32, shape, default), tokens, skipped);
    }

    /// <summary>Finds a statistic. Null if there is none.</summary>
    public static StatisticEntry? Read(LayerStore store, LayerKey key) =>
        store.TryRead(key) is { } entry && Number(entry, TokensKey) is { } tokens && Number(entry, SkippedKey) is { } skipped ? new(entry, tokens, skipped) : null;

    /// <summary>The values.</summary>
    /// <exception cref="EntryGoneException">Somebody removed the entry.</exception>
    public double[] Values()
    {
        var array = Entry.As(Codec).Arrays[0];
        byte[] bytes = new byte[array.ByteLength];
        array.CopyTo(new MemoryStream(bytes));
        return Array.ConvertAll(MemoryMarshal.Cast<byte, float>(bytes).ToArray(), value => (double)value);
    }

    private static long? Number(LayerEntry entry, string name) =>
        entry.Description.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;
}
