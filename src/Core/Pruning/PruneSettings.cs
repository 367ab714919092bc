using System.Globalization;
using Compress.Core.Recipes;

namespace Compress.Core.Pruning;

/// <summary>What tells how much is lost with a weight.</summary>
internal enum Saliency
{
    /// <summary>|w| (Han et al., arXiv 1506.02626).</summary>
    Magnitude,

    /// <summary>|w| times the root mean square of its input, among the weights of one output (Sun et al., arXiv 2306.11695).</summary>
    Wanda,

    /// <summary>What the output loses when the weights after it make up for it, which they do (Frantar and Alistarh, arXiv 2301.00774).</summary>
    SparseGpt,
}

/// <summary>What a recipe says of pruning.</summary>
/// <param name="Sparsity">The part of the weights that become zero; null where <paramref name="Pattern"/> says how many.</param>
/// <param name="Pattern">How many of how many neighbours are kept.</param>
/// <param name="By">Which are kept.</param>
/// <param name="IsGlobal">True if the weights of all matrices under the rule are compared.</param>
/// <param name="File">The recipe.</param>
/// <param name="Position">Where it says so.</param>
internal sealed record PruneSettings(double? Sparsity, (int Keep, int Of)? Pattern, Saliency By, bool IsGlobal, string? File, Position Position)
{
    /// <summary>How many of so many weights are kept: the nearest whole number, and one at least.</summary>
    public long Kept(long weights) => Math.Max(Math.Min(weights, 1), weights - (long)Math.Round(Sparsity!.Value * weights));

    /// <summary>The canonical text of what changes the result.</summary>
    public override string ToString() =>
        (Pattern is var (keep, of) ? string.Create(CultureInfo.InvariantCulture, $"pattern={keep}:{of}") : string.Create(CultureInfo.InvariantCulture, $"sparsity={Sparsity:R}"))
        + $" by={RecipeKeys.Saliencies[(int)By]} scope={RecipeKeys.Scopes[IsGlobal ? 1 : 0]}";
}
