using System.Globalization;
using Compress.Core.Allocation;
using Compress.Core.Calibration;
using Compress.Core.Codecs;
using Compress.Core.Diagnostics;
using Compress.Core.Evaluation;
using Compress.Core.Recipes.Locating;
using Compress.Core.Recovery;
using Compress.Runtime.Safetensors;

namespace Compress.Core.Recipes;

/// <summary>Where something stands in a recipe. Lines and columns are 1-based.</summary>
public readonly record struct Position(int Line, int Column);

/// <summary>A recipe: how each tensor of a model is to be stored. Every part knows its place in the file.</summary>
/// <param name="File">The absolute path of the recipe, or null for the built-in default.</param>
/// <param name="Default">What is done with matrices that no rule names.</param>
/// <param name="Rules">The first rule that matches a tensor's name decides.</param>
/// <param name="Seed">Seeds all random numbers.</param>
/// <param name="KeepNonFinite">True (<c>nonFinite: keep</c>) if tensors with NaN or infinity are stored as they are; else they are errors.</param>
/// <param name="Budget">What all layers may take together, if it says; it overrides the bits of layers that no rule gives any.</param>
/// <param name="Calibration">Where methods that need them get statistics of layers from, if it says.</param>
/// <param name="Gate">Quality limits that break the build, if any.</param>
public sealed record Recipe(
    string? File,
    Treatment Default,
    IReadOnlyList<Rule> Rules,
    ulong Seed,
    bool KeepNonFinite,
    Budget? Budget,
    StatisticsOrigin? Calibration,
    Gate? Gate)
{
    /// <summary>Which dictionary of a checkpoint is the model, if it says.</summary>
    public NamedStateDict? StateDict { get; init; }

    /// <summary>How what is continuous is trained after all layers are encoded, if it says.</summary>
    public RecoverySettings? Recovery { get; init; }

    /// <summary>The defaults, where no recipe is found: what an empty recipe says.</summary>
    public static Recipe BuiltIn => RecipeReader.Empty();
}

/// <summary>What the compressed layers together, or the whole file, may take. Which layer gets how much of it is found by the allocation.</summary>
/// <param name="BitsPerWeight">The average over all matrices that are compressed, scales and tables included; null if there is none.</param>
/// <param name="Bytes">The size of the packed file; null if there is none.</param>
/// <param name="Sensitivity">How it is found what errors of layers cost.</param>
/// <param name="Position">Where the limit stands.</param>
public sealed record Budget(double? BitsPerWeight, long? Bytes, SensitivitySettings Sensitivity, Position Position)
{
    /// <inheritdoc/>
    public override string ToString() => Bytes is { } bytes
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes")
        : string.Create(CultureInfo.InvariantCulture, $"{BitsPerWeight} bits per weight");
}

/// <summary>One entry of <c>layers:</c>.</summary>
/// <param name="Match">Patterns over tensor names; at least one.</param>
/// <param name="Treatment">What is done with the tensors that any of them fits.</param>
/// <param name="Position">Where the entry begins.</param>
public sealed record Rule(IReadOnlyList<RulePattern> Match, Treatment Treatment, Position Position)
{
    /// <summary>True if any of the patterns fits the whole name.</summary>
    public bool IsMatch(string name) => Match.Any(pattern => pattern.Glob.IsMatch(name));
}

/// <summary>A pattern of a rule and where it stands.</summary>
public sealed record RulePattern(Glob Glob, Position Position);

/// <summary>Tensors that share one choice: those whose names begin alike.</summary>
/// <param name="Pattern">Of names up to a dot, <c>*</c> and <c>?</c> standing for no dots: <c>model.layers.*.mlp</c> groups each layer's tensors by themselves.</param>
/// <param name="Position">Where it stands.</param>
public sealed record LayerGroup(string Pattern, Position Position)
{
    private readonly Glob[] segments = [.. Pattern.Split('.').Select(segment => new Glob(segment))];

    /// <summary>The beginning of a name that fits; null if none does.</summary>
    public string? Of(string name)
    {
        string[] parts = name.Split('.');
        return parts.Length >= segments.Length && segments.Index().All(segment => segment.Item.IsMatch(parts[segment.Index]))
            ? string.Join('.', parts.Take(segments.Length))
            : null;
    }
}

/// <summary>What is done with a tensor.</summary>
public abstract record Treatment(Position Position)
{
    /// <summary>
    /// Stored without a codec: in its own type (<see cref="As"/> null), or as F32, F16 or BF16. In a recipe the type is an upper
    /// limit: tensors whose elements are no larger stay in their own type (<see cref="Compression.Plan"/> resolves that).
    /// </summary>
    public sealed record Keep(DType? As, Position Position) : Treatment(Position);

    /// <summary>Compressed by a codec.</summary>
    /// <param name="Codec">The method.</param>
    /// <param name="Encoder">The method with its settings.</param>
    /// <param name="Position">Where it stands.</param>
    public sealed record Compress(ICodec Codec, ILayerEncoder Encoder, Position Position) : Treatment(Position)
    {
        /// <summary>True if a budget spreads its bits over the groups of all such layers at once: see <see cref="IGroupEncoder"/>.</summary>
        public bool SharesBits { get; init; }
    }

    /// <summary>One of several treatments, as a budget decides.</summary>
    /// <param name="Options">What it chooses from, each <see cref="Keep"/> or <see cref="Compress"/>; at least one.</param>
    /// <param name="Group">Which of the tensors with this treatment share one choice; null if each has its own.</param>
    /// <param name="Position">Where it stands.</param>
    public sealed record Choose(IReadOnlyList<Treatment> Options, LayerGroup? Group, Position Position) : Treatment(Position);
}

/// <summary>Where statistics of layers come from.</summary>
/// <param name="Position">Where the recipe says so.</param>
public abstract record StatisticsOrigin(Position Position)
{
    /// <summary>From running the model on a text.</summary>
    public sealed record FromText(CalibrationSettings Settings, Position Position) : StatisticsOrigin(Position);

    /// <summary>From a file, by its absolute path.</summary>
    public sealed record FromFile(string Path, Position Position) : StatisticsOrigin(Position);
}

/// <summary>Quality limits; those that are null do not limit.</summary>
/// <param name="RelativeError">The greatest <c>‖W − Ŵ‖ / ‖W‖</c> over all compressed layers together.</param>
/// <param name="Perplexity">The greatest increase of the perplexity over the source model's, as a part of it: 0.02 for 2 %.</param>
/// <param name="Kl">The greatest mean Kullback–Leibler divergence of the packed model's predictions from the source's, in nats per token.</param>
/// <param name="Severity">Whether what goes beyond is an error or a warning.</param>
public sealed record Gate(Limit? RelativeError, MeasuredLimit? Perplexity, MeasuredLimit? Kl, Severity Severity);

/// <summary>A limit and where it stands.</summary>
public sealed record Limit(double Value, Position Position);

/// <summary>A limit of what a language model is measured to do.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="On">What it is measured on.</param>
public sealed record MeasuredLimit(Limit Limit, EvaluationSettings On);
