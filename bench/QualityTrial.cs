using System.Globalization;
using Compress.Core.Caching;
using Compress.Core.Calibration;
using Compress.Core.Compression;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Models;

namespace Compress.Bench;

/// <summary>What a way to compress a language model costs, and what it loses on held-out text.</summary>
/// <param name="BitsPerWeight">Over all compressed matrices, everything stored counted.</param>
/// <param name="Perplexity">Of the packed model.</param>
/// <param name="Kl">Nats per token.</param>
internal sealed record Quality(double BitsPerWeight, double Perplexity, double Kl);

/// <summary>
/// Compresses a language model by recipes as <c>compress run</c> does it, and measures what comes out. Arguments: MODEL CALIBRATION_TEXT HELD_OUT_TEXT
/// [--unit paragraph] [--window N] [--limit N].
/// </summary>
internal sealed class QualityTrial : IDisposable
{
    public const string Usage = "MODEL CALIBRATION_TEXT HELD_OUT_TEXT [--unit paragraph] [--window N] [--limit N]";

    private const int CalibrationTokens = 16384;

    // What only recipes with a calibration say.
    private static readonly string[] Calibrated = ["gptq", "sensitivity: ", "objective: outputs", "by: whitened", "by: sparsegpt"];

    private readonly string folder = Directory.CreateTempSubdirectory("compress-quality-").FullName;
    private readonly string[] paths;
    private readonly EvaluationSettings settings;
    private readonly ModelEvaluation evaluation;
    private readonly LayerCache cache;
    private EvaluationResult? last;

    public QualityTrial(string[] args)
    {
        paths = [.. args[..3].Select(Path.GetFullPath)];
        settings = Settings(args);
        Source = ModelFile.Open(paths[0]);
        cache = new LayerCache(Path.Combine(folder, "cache"));
        evaluation = new ModelEvaluation(Source, new EvaluationCache(cache.Directory, readOnly: false));
        Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(paths[0]));
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>The model.</summary>
    public ModelFile Source { get; }

    /// <summary>The source's own perplexity, once something was measured.</summary>
    public double SourcePerplexity => last!.Source.Perplexity;

    /// <summary>What the slowest matrix of the last recipe took; 0 if it was no recipe.</summary>
    public double SlowestSeconds { get; private set; }

    /// <summary>What the last recipe took; 0 if it was none.</summary>
    public double Seconds { get; private set; }

    /// <summary>The most managed memory in use while the last recipe was at work, garbage included.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>What the figures are of, in one line.</summary>
    public string Description => string.Create(CultureInfo.InvariantCulture,
        $"Calibrated (where it says so) on {CalibrationTokens:N0} tokens of {Path.GetFileName(paths[1])}, measured on {last!.Packed!.Value.Tokens:N0} tokens of {Path.GetFileName(paths[2])} "
        + $"(unit {settings.Unit.ToString().ToLowerInvariant()}, window {last.Window}, limit {settings.Limit}). Source: perplexity {SourcePerplexity:F4}.");

    /// <summary>The value of an option, or null.</summary>
    public static string? Option(string[] args, string option) => Array.IndexOf(args, option) is var at && at >= 0 ? args[at + 1] : null;

    /// <summary>How the held-out text, the third argument, is evaluated.</summary>
    public static EvaluationSettings Settings(string[] args) => new(Path.GetFullPath(args[2]))
    {
        Unit = Enum.Parse<TextUnit>(Option(args, "--unit") ?? "document", ignoreCase: true),
        Window = Number(args, "--window"),
        Limit = Number(args, "--limit"),
    };

    /// <summary>Compresses; nothing may be wrong.</summary>
    public static CompressionReport Compress(CompressionRequest request)
    {
        var diagnostics = new DiagnosticBag();
        return Compressor.Run(request, diagnostics, null, CancellationToken.None) ?? throw new InvalidOperationException(string.Join('\n', diagnostics.Items));
    }

    /// <summary>The part of a recipe that trains on the calibration text.</summary>
    /// <param name="how">Keys of <c>recover</c>.</param>
    public string Recovery(string how) => $"recover: {{ text: '{paths[1]}', unit: {settings.Unit.ToString().ToLowerInvariant()}, {how} }}\n";

    /// <summary>What a recipe, without version and calibration, makes of the matrices.</summary>
    public double BitsPerWeight(string recipe) => Compressed(recipe, Path.Combine(folder, "packed.safetensors"));

    /// <summary>Compresses by a recipe, without version and calibration, and measures.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="rounds">How often gradients are taken.</param>
    public Quality Measure(string recipe, int rounds = 1)
    {
        string packed = Path.Combine(folder, "packed.safetensors");
        return Measured(Compressed(recipe, packed, rounds), packed);
    }

    /// <summary>Measures a model in another form.</summary>
    /// <param name="bitsPerWeight">What it takes.</param>
    /// <param name="write">Writes it as a safetensors file.</param>
    public Quality Measure(double bitsPerWeight, Action<Stream> write)
    {
        (SlowestSeconds, Seconds, PeakBytes) = (0, 0, 0);
        string file = Path.Combine(folder, "other.safetensors");
        using (var stream = File.Create(file))
        {
            write(stream);
        }

        return Measured(bitsPerWeight, file);
    }

    /// <summary>Statistics of the calibration text, as recipes have them.</summary>
    public IStatisticsSource Statistics()
    {
        var diagnostics = new DiagnosticBag();
        var calibration = new CalibrationSettings(paths[1]) { Tokens = CalibrationTokens, Unit = settings.Unit };
        return new TextStatistics(Source, calibration, null, new LayerStore(cache, Path.Combine(folder, "packed.safetensors"), diagnostics), diagnostics);
    }

    public void Dispose()
    {
        evaluation.Dispose();
        Source.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private double Compressed(string recipe, string packed, int rounds = 1)
    {
        string file = Path.Combine(folder, "compress.yaml"), unit = settings.Unit.ToString().ToLowerInvariant();
        string calibration = Array.Exists(Calibrated, word => recipe.Contains(word, StringComparison.Ordinal)) ? $"calibration: {{ text: '{paths[1]}', tokens: {CalibrationTokens}, unit: {unit}{(rounds == 1 ? "" : FormattableString.Invariant($", rounds: {rounds}"))} }}\n" : "";
        File.WriteAllText(file, $"version: 1\n{calibration}{recipe}\n");
        GC.Collect();
        using var heap = new PeakHeap();
        var report = Compress(new(paths[0], file, packed) { Cache = cache });
        (Seconds, PeakBytes) = (report.Milliseconds / 1000.0, heap.Bytes);
        SlowestSeconds = report.Layers.Max(layer => layer.Milliseconds) / 1000;
        return report.BitsPerWeight;
    }

    private Quality Measured(double bitsPerWeight, string packed)
    {
        last = evaluation.Run(settings, packed, withDivergence: true, null, CancellationToken.None);
        var quality = new Quality(bitsPerWeight, last.Packed!.Value.Perplexity, last.Kl!.Value);
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{quality.BitsPerWeight:F3} {quality.Perplexity:F4} {quality.Kl:F5}"));
        return quality;
    }

    private static int? Number(string[] args, string option) => Option(args, option) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
