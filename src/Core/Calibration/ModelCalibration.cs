using System.Text.Json;
using Compress.Core.Caching;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Emit;
using Compress.Core.Models;

namespace Compress.Core.Calibration;

/// <summary>What was written into a file of statistics.</summary>
/// <param name="Layers">Linear layers.</param>
/// <param name="Inputs">Inputs that they have: those of queries, keys and values are one.</param>
/// <param name="Tokens">Tokens that the model was run on.</param>
/// <param name="Bytes">The size of the file.</param>
public sealed record CalibrationSummary(int Layers, int Inputs, int Tokens, long Bytes);

/// <summary>Runs a language model on a text and writes the statistics of all its linear layers into a file.</summary>
public static class ModelCalibration
{
    /// <summary>Computes what the cache does not have, and writes the file, whole or not at all.</summary>
    /// <param name="source">The model.</param>
    /// <param name="settings">The text.</param>
    /// <param name="kinds">Which statistics.</param>
    /// <param name="cache">Where statistics are looked up and kept, or null.</param>
    /// <param name="outputPath">The absolute path of the file.</param>
    /// <param name="diagnostics">Receives warnings.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="CompressException">The model cannot be run, or the text does not fit it, or the file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static CalibrationSummary Write(
        ModelFile source,
        CalibrationSettings settings,
        StatisticKinds kinds,
        LayerCache? cache,
        string outputPath,
        DiagnosticBag diagnostics,
        IProgress<CalibrationProgress>? progress,
        CancellationToken cancellationToken)
    {
        using var store = new LayerStore(cache, outputPath, diagnostics);
        using var statistics = new TextStatistics(source, settings, recipeFile: null, store, diagnostics);
        var known = statistics.Layers;
        var layers = known.All.Select(layer => (Layer: layer.Name, Input: known.Owner(StatisticKinds.InputMeans, layer.Name), layer.Transposed)).ToList();
        var needs = layers.ConvertAll(layer => new StatisticNeed(layer.Layer, KindsOf(layer.Layer)));
        statistics.Check(needs);
        statistics.Prepare(needs, progress, cancellationToken);
        var entries = layers.SelectMany(layer => StatisticNames.Of(KindsOf(layer.Layer))
            .Where(row => layer.Input == layer.Layer || !StatisticNames.OfInputs.HasFlag(row.Kind))
            .Select(row => (layer.Layer, row.Kind, row.Name, Entry: statistics.Entry(layer.Layer, row.Kind, cancellationToken)!))).ToList();
        var counts = entries.Where(entry => StatisticNames.OfInputs.HasFlag(entry.Kind)).DistinctBy(entry => entry.Layer)
            .ToDictionary(entry => entry.Layer, entry => (entry.Entry.Tokens, entry.Entry.Skipped));
        statistics.Report();

        var header = new StatisticsHeader(StatisticsFile.Version, statistics.Tokens)
        {
            Model = statistics.ModelDigest,
            Text = statistics.TextDescription,
            Layers = layers.ToDictionary(layer => layer.Layer, layer => new StatisticsLayer
            {
                Input = layer.Input == layer.Layer ? null : layer.Input,
                Tokens = counts.TryGetValue(layer.Input, out var count) && count.Tokens != statistics.Tokens ? count.Tokens : null,
                Skipped = count.Skipped,
                Transposed = layer.Transposed,
            }),
            Head = known.Head,
            Tables = [.. known.Tables],
        };
        var metadata = new Dictionary<string, string> { [StatisticsFile.MetadataKey] = JsonSerializer.Serialize(header, StatisticsHeader.Options) };
        var arrays = entries.Select(entry => entry.Entry.Entry.As(entry.Name).Arrays[0] with { Name = StatisticsFile.ArrayName(entry.Layer, entry.Name) });
        try
        {
            AtomicFile.Write(outputPath, stream => SafetensorsWriter.Write(stream, metadata, arrays, dataHash: null, cancellationToken));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CompressException(Codes.OutputNotWritable, $"the statistics cannot be written: {exception.Message}", outputPath, exception);
        }

        return new(layers.Count, layers.Select(layer => layer.Input).Distinct().Count(), statistics.Tokens, new FileInfo(outputPath).Length);

        StatisticKinds KindsOf(string layer) =>
            StatisticNames.Of(kinds).Where(row => known.Has(row.Kind, layer) && StatisticEntry.Fits(known.Shape(row.Kind, layer))).Aggregate(StatisticKinds.None, (all, row) => all | row.Kind);
    }
}
