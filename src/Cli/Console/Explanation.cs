using Compress.Core.Caching;
using Compress.Core.Compression;
using Compress.Core.Explaining;

namespace Compress.Cli.Console;

/// <summary>Why layers are encoded, in words: a line for each reason, with the names of some layers that it holds for.</summary>
internal static class Explanation
{
    private const int NamesShown = 3;

    /// <summary>Of what a compression would do.</summary>
    public static IEnumerable<string> Lines(IEnumerable<LayerPreview> layers) =>
        Lines(layers.Where(layer => layer.Why is not null).Select(layer => (layer.Name, layer.Why!)));

    /// <summary>Of what a compression did.</summary>
    public static IEnumerable<string> Lines(CompressionReport report, LastRun? last, LayerCache? cache, bool force) =>
        Lines(report.Layers.Where(layer => layer.Cache == "miss").Select(layer => (layer.Name, Reason.Of(layer.Name, layer.Key, last, cache, force))));

    private static IEnumerable<string> Lines(IEnumerable<(string Name, string Why)> layers) => layers
        .GroupBy(layer => layer.Why, layer => layer.Name, StringComparer.Ordinal)
        .Select(group => Line(group.Key, [.. group]));

    private static string Line(string why, string[] names)
    {
        string more = names.Length > NamesShown ? ", …" : "";
        string count = names.Length == 1 ? "1 layer" : $"{names.Length} layers";
        return $"{count} ({string.Join(", ", names.Take(NamesShown))}{more}): {why}";
    }
}
