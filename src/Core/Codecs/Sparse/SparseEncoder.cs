using System.Globalization;
using System.Text.Json.Nodes;
using Compress.Core.Diagnostics;
using Compress.Core.Models;
using Compress.Core.Pruning;

namespace Compress.Core.Codecs.Sparse;

/// <summary>Prunes a matrix, and packs the weights that are kept as a matrix of one row.</summary>
/// <param name="settings">What the recipe says.</param>
/// <param name="values">Packs the weights that are kept.</param>
/// <param name="methodText">The method with its settings, in canonical form.</param>
/// <param name="threshold">The least magnitude that is kept, if the matrices of a rule share it and it has been found.</param>
internal sealed class SparseEncoder(PruneSettings settings, ILayerEncoder values, string methodText, float? threshold = null) : ILayerEncoder
{
    public string Settings => settings + (threshold is { } least ? string.Create(CultureInfo.InvariantCulture, $" threshold={least:R}") : "") + $" ({methodText})";

    public StatisticKinds Needs => settings.By == Saliency.Magnitude ? StatisticKinds.None : StatisticKinds.InputSecondMoments;

    /// <summary>What the recipe says.</summary>
    public PruneSettings Prune => settings;

    /// <summary>The same encoder with the least magnitude that is kept.</summary>
    public SparseEncoder WithThreshold(float least) => new(settings, values, methodText, least);

    public EncodedTensor Encode(WeightMatrix weights, LayerStatistics? statistics, CancellationToken cancellationToken)
    {
        var pruned = new Pruner(settings, threshold).Prune(weights, statistics, cancellationToken);
        int kept = pruned.Values.Length;
        var packed = values.Encode(WeightMatrix.FromArray(pruned.Values, 1, kept), null, cancellationToken);
        var parameters = new JsonObject { ["kept"] = kept };
        var mask = MaskWriter.Write(pruned, settings.Pattern, parameters);
        var encoded = new EncodedTensor("sparse", parameters, [mask]).With("values", packed, 1, kept);
        long ofValues = packed.Parts.Where(part => !part.Shared).Sum(part => part.Bytes.LongLength);
        return kept == 0 || ofValues + mask.Bytes.Length <= (double)ofValues * pruned.Count / kept
            ? encoded
            : encoded with { Warnings = [.. encoded.Warnings, new(Codes.RecipeSavesNothing, Smaller(pruned, ofValues, mask.Bytes.Length))] };
    }

    private static string Smaller(PrunedMatrix pruned, long ofValues, long ofMask) => string.Create(CultureInfo.InvariantCulture,
        $"pruning takes {8.0 * ofMask / pruned.Count:0.###} bits per weight to say which weights are kept, and saves {8.0 * ofValues * (pruned.Count - pruned.Values.Length) / ((double)pruned.Values.Length * pruned.Count):0.###}")
        + "; choose a greater sparsity, or leave it out";
}
