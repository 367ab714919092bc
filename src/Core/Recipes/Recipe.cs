using Compress.Core.Codecs;
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
/// <param name="Gate">Quality limits that break the build, if any.</param>
public sealed record Recipe(
    string? File,
    Treatment Default,
    IReadOnlyList<Rule> Rules,
    ulong Seed,
    bool KeepNonFinite,
    Gate? Gate);

/// <summary>One entry of <c>layers:</c>.</summary>
/// <param name="Match">The glob over tensor names.</param>
/// <param name="Treatment">What is done with what it matches.</param>
/// <param name="Position">Where <c>match</c>'s value stands.</param>
public sealed record Rule(Glob Match, Treatment Treatment, Position Position);

/// <summary>What is done with a tensor.</summary>
public abstract record Treatment(Position Position)
{
    /// <summary>Stored without a codec: in its own type (<see cref="As"/> null), or as F32, F16 or BF16.</summary>
    public sealed record Keep(DType? As, Position Position) : Treatment(Position);

    /// <summary>Compressed by a codec.</summary>
    public sealed record Compress(ICodec Codec, ILayerEncoder Encoder, Position Position) : Treatment(Position);
}

/// <summary>Quality limits.</summary>
/// <param name="RelativeError">The greatest <c>‖W − Ŵ‖ / ‖W‖</c> over all compressed layers together, if limited.</param>
/// <param name="RelativeErrorPosition">Where that value stands.</param>
public sealed record Gate(double? RelativeError, Position RelativeErrorPosition);
