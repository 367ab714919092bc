using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Compress.Core.Compression;
using Compress.Core.Emit;

namespace Compress.Core.Reports.Html;

/// <summary>
/// A report to look at: one HTML file with all that it needs, so that it opens anywhere, without a network. The numbers are JSON in it;
/// page.html draws them.
/// </summary>
public static class ReportPage
{
    private const string Place = "/*DATA*/";

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // The default encoder escapes '<': no name can end the script element that the JSON stands in.
        Encoder = JavaScriptEncoder.Default,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Converters = { new FiniteOrNull() },
    };

    /// <summary>The page's text.</summary>
    public static string Create(PageData data)
    {
        string page = Template();
        int at = page.IndexOf(Place, StringComparison.Ordinal);
        return string.Concat(page.AsSpan(0, at), JsonSerializer.Serialize(data, Options), page.AsSpan(at + Place.Length));
    }

    /// <summary>Writes what the page shows of one model as JSON; docs/evaluation.md names its members.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void WriteJson(PageModel model, string path) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, model, Options));

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Write(PageData data, string path) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Create(data))));

    private static string Template()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Compress.Core.page.html")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    // JSON knows no infinity: the error of a layer of zeros that became something else, the perplexity of a model that was destroyed.
    private sealed class FiniteOrNull : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
            {
                writer.WriteNumberValue(value);
            }
            else
            {
                writer.WriteNullValue();
            }
        }
    }
}

/// <summary>All that a page shows.</summary>
public sealed record PageData(IReadOnlyList<PageModel> Models);

/// <summary>One model in a page.</summary>
/// <param name="Name">Its name.</param>
/// <param name="SourceBytes">Bytes of all tensors in the source.</param>
/// <param name="Perplexity">The source's, if it was measured.</param>
/// <param name="Evaluation">On what; null if nothing was measured.</param>
/// <param name="Recipes">What was made of it; at least one.</param>
public sealed record PageModel(string Name, long SourceBytes, double? Perplexity, PageEvaluation? Evaluation, IReadOnlyList<PageRecipe> Recipes);

/// <summary>On what a model was measured.</summary>
public sealed record PageEvaluation(string Text, long Tokens, string Unit, int Window, int? Stride, int? Limit, bool Bos);

/// <summary>What one recipe made of a model.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="PackedBytes">Of the packed file.</param>
/// <param name="BitsPerWeight">Over the compressed layers, all bits counted.</param>
/// <param name="RelativeError">‖W − Ŵ‖ / ‖W‖ over the compressed layers.</param>
/// <param name="Perplexity">The packed model's, if it was measured.</param>
/// <param name="Kl">The mean divergence from the source, in nats per token, if it was measured.</param>
/// <param name="Milliseconds">What packing took.</param>
/// <param name="CacheHits">Layers from the cache.</param>
/// <param name="CacheMisses">Layers encoded.</param>
/// <param name="Layers">All tensors.</param>
public sealed record PageRecipe(
    string Name,
    long PackedBytes,
    double BitsPerWeight,
    double RelativeError,
    double? Perplexity,
    double? Kl,
    long Milliseconds,
    int CacheHits,
    int CacheMisses,
    IReadOnlyList<PageLayer> Layers)
{
    /// <summary>How a budget was spread, with what was predicted and measured; null if there was none.</summary>
    public AllocationReport? Allocation { get; init; }
}

/// <summary>One tensor.</summary>
public sealed record PageLayer(
    string Name,
    IReadOnlyList<long> Shape,
    string Codec,
    double BitsPerWeight,
    double RelativeError,
    long Bytes,
    string Cache,
    double Milliseconds,
    Histogram? Weights,
    Histogram? Errors);
