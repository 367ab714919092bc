using Compress.Core.Diagnostics;

namespace Compress.Core.Calibration;

/// <summary>What a file of statistics holds.</summary>
/// <param name="File">The absolute path.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Tokens">The tokens that means are over.</param>
/// <param name="Text">What the tokens were, if it says.</param>
/// <param name="Model">The digest of the model, if it says.</param>
/// <param name="Layers">By name in ordinal order.</param>
public sealed record StatisticsSummary(string File, long Bytes, long Tokens, string? Text, string? Model, IReadOnlyList<LayerStatisticsSummary> Layers)
{
    /// <summary>Reads a file. Null if it is something else.</summary>
    /// <exception cref="CompressException">It is one, but malformed or of another version.</exception>
    public static StatisticsSummary? TryRead(string path)
    {
        using var file = StatisticsFile.TryOpen(path);
        if (file is null)
        {
            return null;
        }

        var header = file.Header;
        var layers = file.Names.SelectMany(name => StatisticNames.All.Where(row => name.EndsWith("." + row.Name, StringComparison.Ordinal)).Select(row => name[..^(row.Name.Length + 1)]))
            .Concat(header.Layers.Keys).Distinct().Order(StringComparer.Ordinal).Select(layer => Layer(file, layer)).ToList();
        return new(path, new FileInfo(path).Length, header.Tokens, header.Text, header.Model, layers);
    }

    private static LayerStatisticsSummary Layer(StatisticsFile file, string layer)
    {
        var header = file.Header.Layers.GetValueOrDefault(layer) ?? new();
        var found = StatisticNames.All.Select(row => (row.Name, row.Kind, Array: file.Find(layer, row.Kind, row.Name))).Where(row => row.Array is not null).ToList();
        var moments = found.FirstOrDefault(row => row.Kind == Codecs.StatisticKinds.InputSecondMoments).Array;
        double? meanSquare = null;
        if (moments is { Shape: [var rows, var columns] } && rows == columns && rows is > 0 and <= StatisticEntry.MaxWidth)
        {
            double[] values = file.Read(moments, Codecs.StatisticKinds.InputSecondMoments, rows, columns);
            double trace = 0;
            for (long i = 0; i < rows; i++)
            {
                trace += values[(i * rows) + i];
            }

            meanSquare = trace / rows;
        }

        return new(
            layer, header.Input ?? layer, found.Select(row => Inputs(row.Kind, row.Array!.Shape.ToArray(), header.Transposed)).FirstOrDefault(inputs => inputs > 0), header.Transposed, [.. found.Select(row => row.Name)],
            header.Tokens ?? file.Header.Tokens, header.Skipped, meanSquare);
    }

    // As an array's shape has it; 0 if it says nothing of inputs.
    private static long Inputs(Codecs.StatisticKinds kind, long[] shape, bool transposed) =>
        kind is Codecs.StatisticKinds.OutputCovariance or Codecs.StatisticKinds.OutputGradients || shape.Length == 0 ? 0
        : StatisticNames.OfInputs.HasFlag(kind) || !transposed ? shape[^1] : shape[0];
}

/// <summary>What a file holds of a layer.</summary>
/// <param name="Name">The name of its weights.</param>
/// <param name="Input">The layer whose arrays its input has.</param>
/// <param name="Inputs">Length of an input; 0 if no statistic shows it.</param>
/// <param name="Transposed">True if the weights are stored as [in, out].</param>
/// <param name="Kinds">Which statistics.</param>
/// <param name="Tokens">Tokens counted.</param>
/// <param name="Skipped">Tokens left out.</param>
/// <param name="MeanSquare">The mean of E[xᵢ²] over its inputs; null without second moments.</param>
public sealed record LayerStatisticsSummary(
    string Name, string Input, long Inputs, bool Transposed, IReadOnlyList<string> Kinds, long Tokens, long Skipped, double? MeanSquare);
