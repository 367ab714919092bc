using System.Text.Json;
using System.Text.Json.Serialization;
using Compress.Core.Compression;
using Compress.Core.Emit;

namespace Compress.Core.Reports;

/// <summary>Writes a <see cref="CompressionReport"/> as JSON; docs/build.md names its members.</summary>
public static class ReportWriter
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Write(CompressionReport report, string path) =>
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, report, Options));

    /// <summary>The report as text.</summary>
    public static string ToJson(CompressionReport report) => JsonSerializer.Serialize(report, Options);
}
