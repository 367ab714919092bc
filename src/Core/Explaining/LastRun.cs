using System.Text.Json;
using Compress.Core.Caching;

namespace Compress.Core.Explaining;

/// <summary>What the report of the last compression of a model says of its layers: what they were made from.</summary>
/// <param name="Keys">The key of each tensor, by name.</param>
/// <param name="CacheSalt">The salt of the cache.</param>
/// <param name="Budget">The budget that was spread over the layers, or null.</param>
/// <param name="Recovery">How what is continuous was trained, or null.</param>
public sealed record LastRun(IReadOnlyDictionary<string, LayerKey> Keys, string CacheSalt, string? Budget = null, string? Recovery = null)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary>Reads a report. Null if there is none, or none that can be understood: then there is nothing to compare with.</summary>
    public static LastRun? Read(string reportPath)
    {
        try
        {
            using var stream = File.OpenRead(reportPath);
            var report = JsonSerializer.Deserialize<Report>(stream, Options);
            return report?.Layers is null
                ? null
                : new(
                    report.Layers.Where(layer => layer is { Name: not null, Key: not null })
                        .DistinctBy(layer => layer.Name, StringComparer.Ordinal)
                        .ToDictionary(layer => layer.Name!, layer => layer.Key!, StringComparer.Ordinal),
                    report.CacheSalt ?? "",
                    report.Allocation?.Budget,
                    report.Recovery?.Settings);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private sealed record Report(string? CacheSalt, IReadOnlyList<Layer>? Layers, Allocation? Allocation, Training? Recovery);

    private sealed record Training(string? Settings);

    private sealed record Allocation(string? Budget);

    private sealed record Layer(string? Name, LayerKey? Key);
}
